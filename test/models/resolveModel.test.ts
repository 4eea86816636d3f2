import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { HubProgress } from '../../ts/models/hub.ts';
import { resolveModel } from '../../ts/models/resolveModel.ts';
import { type ModelContent, tinyEncoder, withFolder, writeModel } from './tinyModel.ts';

const VARIABLES = ['SEINE_MODELS', 'SEINE_CACHE', 'SEINE_HUB', 'SEINE_OFFLINE'] as const;
let saved: (string | undefined)[];

beforeEach(() => {
  saved = VARIABLES.map((name) => process.env[name]);
  for (const name of VARIABLES) delete process.env[name];
  process.env.SEINE_OFFLINE = '1';
});
afterEach(() => {
  for (const [i, name] of VARIABLES.entries()) {
    const value = saved[i];
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

describe('resolveModel', () => {
  test('looks at the path, then SEINE_MODELS in their order, then the cache', async () => {
    await withFolder(async (folder) => {
      process.env.SEINE_CACHE = join(folder, 'cache');
      const inCache = writeModel(join(folder, 'cache/models/owner/tiny'), tinyEncoder());
      expect((await resolveModel('owner/tiny', 'embedder')).directory).toBe(inCache);
      const first = join(folder, 'first');
      const second = writeModel(join(folder, 'second/owner/tiny'), tinyEncoder());
      process.env.SEINE_MODELS = [first, join(folder, 'second')].join(delimiter);
      const files = await resolveModel('owner/tiny', 'embedder');
      expect([files.directory, files.name]).toEqual([second, 'owner/tiny']);
      writeModel(join(first, 'owner/tiny'), tinyEncoder());
      expect((await resolveModel('owner/tiny', 'embedder')).directory).toBe(join(first, 'owner/tiny'));
      const byPath = await resolveModel(second, 'embedder');
      expect([byPath.directory, byPath.name]).toEqual([second, 'tiny']);
      expect(byPath.hash).toBe(files.hash);
    });
  });

  test('the hash changes with every file that matters and with no other', async () => {
    await withFolder(async (folder) => {
      const hash = async (changes: Record<string, ModelContent[string]>): Promise<string> => {
        rmSync(join(folder, 'm'), { recursive: true, force: true });
        return (await resolveModel(writeModel(join(folder, 'm'), tinyEncoder(), changes), 'embedder')).hash;
      };
      const plain = await hash({});
      expect(await hash({ 'README.md': 'a card' })).toBe(plain);
      const all = [plain];
      for (const name of ['config.json', 'tokenizer.json', '1_Pooling/config.json', 'seine.json']) {
        all.push(await hash({ [name]: '{"other": 1}' }));
      }
      all.push(await hash({ 'onnx/model.onnx': tinyEncoder(5)['onnx/model.onnx']! }));
      expect(new Set(all).size).toBe(all.length);
    });
  });

  test('says where it looked, and what is missing', async () => {
    await withFolder(async (folder) => {
      process.env.SEINE_MODELS = folder;
      await expect(resolveModel('no-such-model', 'ranker')).rejects.toThrow(
        expect.objectContaining({
          code: 'ERR_MODEL',
          message: expect.stringContaining(join(folder, 'no-such-model')),
        }),
      );
      await expect(resolveModel('owner/none', 'ranker')).rejects.toThrow(/SEINE_OFFLINE=1 forbids/);
      await expect(resolveModel('', 'ranker')).rejects.toThrow(/ranker must be the name or the path/);
      await expect(resolveModel('x'.repeat(5000), 'ranker')).rejects.toThrow(/there is none at/);
      const odd = writeModel(join(folder, 'odd'), tinyEncoder(), { 'onnx/model.onnx': undefined });
      mkdirSync(join(odd, 'model.onnx'));
      await expect(resolveModel('odd', 'embedder')).rejects.toThrow(
        expect.objectContaining({
          code: 'ERR_MODEL',
          message: expect.stringMatching(/should be readable but/),
        }),
      );
      mkdirSync(join(folder, 'empty'));
      await expect(resolveModel('empty', 'embedder')).rejects.toThrow(
        /lacks config\.json and tokenizer\.json and/,
      );
    });
  });
});

describe('hub', () => {
  /** A hub with one model; `route` may answer instead. Large files are redirected, as the hub does. */
  const COMMIT = 'c'.repeat(40);
  interface Hub {
    requests: string[];
    /** Bytes of `/storage` answers after which the connection breaks, one number an answer. */
    breaks: number[];
    content: Record<string, Buffer>;
    ranges: boolean;
  }

  const serve = async (hub: Hub, body: () => Promise<void>): Promise<void> => {
    const server: Server = createServer((request, response) => {
      const url = request.url!;
      hub.requests.push(`${request.method} ${url} ${request.headers.range ?? ''}`.trim());
      const stored = /^\/storage\/(.+)$/.exec(url);
      const asked = stored ?? /^\/owner\/tiny\/resolve\/(?:main|c{40})\/(.+)$/.exec(url);
      const bytes = asked === null ? undefined : hub.content[asked[1]!];
      if (bytes === undefined) return response.writeHead(404).end();
      const large = asked![1]!.endsWith('.onnx');
      const blob = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
      if (stored === null) response.setHeader('x-repo-commit', COMMIT);
      if (stored === null && large) {
        response.setHeader('x-linked-etag', `"${createHash('sha256').update(bytes).digest('hex')}"`);
        response.setHeader('x-linked-size', bytes.length);
        return response.writeHead(302, { location: `/storage/${asked![1]}` }).end();
      }
      const from = hub.ranges ? Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0) : 0;
      response.setHeader('etag', `W/"${blob}"`);
      response.setHeader('content-length', bytes.length - from);
      response.writeHead(from > 0 ? 206 : 200);
      if (request.method === 'HEAD') return response.end();
      const broken = large ? hub.breaks.shift() : undefined;
      if (broken === undefined) return response.end(bytes.subarray(from));
      return response.write(bytes.subarray(from, from + broken), () =>
        setTimeout(() => response.destroy(), 50),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    process.env.SEINE_HUB = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    delete process.env.SEINE_OFFLINE;
    try {
      await body();
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  };

  const model = (): Hub => ({
    requests: [],
    breaks: [],
    ranges: true,
    content: Object.fromEntries(
      Object.entries(tinyEncoder(400)).map(([name, content]) => [
        name,
        Buffer.from(content instanceof Uint8Array ? content : JSON.stringify(content)),
      ]),
    ),
  });

  test('fetches a model, goes on where a connection broke, checks it, and asks no more', async () => {
    await withFolder(async (folder) => {
      process.env.SEINE_CACHE = folder;
      const hub = { ...model(), breaks: [1000, 50_000] };
      const progress: HubProgress[] = [];
      await serve(hub, async () => {
        const files = await resolveModel('owner/tiny', 'embedder', {
          onProgress: (step) => progress.push(step),
        });
        expect(files.directory).toBe(join(folder, 'models/owner/tiny'));
        for (const [name, bytes] of Object.entries(hub.content)) {
          expect(readFileSync(join(files.directory, name)).equals(bytes)).toBe(true);
        }
        expect(existsSync(`${files.directory}.partial`)).toBe(false);
        expect(hub.requests).toContain('GET /storage/onnx/model.onnx bytes=1000-');
        expect(hub.requests).toContain('GET /storage/onnx/model.onnx bytes=51000-');
        expect(hub.requests.filter((line) => line.includes('/main/')).length).toBe(1);
        const total = hub.content['onnx/model.onnx']!.length;
        expect(progress.filter(({ file }) => file.endsWith('.onnx')).at(-1)).toEqual({
          file: 'onnx/model.onnx',
          done: total,
          total,
        });
        const before = hub.requests.length;
        expect((await resolveModel('owner/tiny', 'embedder')).hash).toBe(files.hash);
        expect(hub.requests.length).toBe(before);
      });
    });
  });

  test('a call that failed is continued by the next, also by a server without ranges', async () => {
    await withFolder(async (folder) => {
      process.env.SEINE_CACHE = folder;
      const hub = { ...model(), breaks: [100, 100, 100, 100] };
      await serve(hub, async () => {
        await expect(resolveModel('owner/tiny', 'embedder')).rejects.toThrow(
          expect.objectContaining({ code: 'ERR_MODEL', message: expect.stringMatching(/try again/) }),
        );
        expect(existsSync(join(folder, 'models/owner/tiny'))).toBe(false);
        hub.requests.length = 0;
        await resolveModel('owner/tiny', 'embedder');
        expect(hub.requests).toContain('GET /storage/onnx/model.onnx bytes=400-');
        expect(hub.requests.some((line) => line.startsWith('GET') && line.includes('tokenizer.json'))).toBe(
          false,
        );

        rmSync(join(folder, 'models'), { recursive: true });
        hub.ranges = false;
        hub.breaks = [100];
        await resolveModel('owner/tiny', 'embedder');
      });
    });
  });

  test('says so when the cache cannot be written', async () => {
    await withFolder(async (folder) => {
      process.env.SEINE_CACHE = join(folder, 'file');
      writeFileSync(join(folder, 'file'), '');
      await serve(model(), async () => {
        await expect(resolveModel('owner/tiny', 'embedder')).rejects.toThrow(
          expect.objectContaining({ code: 'ERR_DISK', message: expect.stringMatching(/SEINE_CACHE/) }),
        );
      });
    });
  });

  test('refuses wrong bytes, a model without a graph, and obeys a signal', async () => {
    await withFolder(async (folder) => {
      process.env.SEINE_CACHE = folder;
      const hub = model();
      await serve(hub, async () => {
        const graph = hub.content['onnx/model.onnx']!;
        const partial = join(folder, 'models/owner/tiny.partial/onnx/model.onnx');
        const digest = createHash('sha256').update(graph).digest('hex');
        mkdirSync(dirname(partial), { recursive: true });
        writeFileSync(`${partial}.${digest}.part`, Buffer.alloc(500)); // damaged on disk
        await expect(resolveModel('owner/tiny', 'embedder')).rejects.toThrow(
          /checksum of what came is wrong/,
        );
        const reason = new Error('enough');
        const signal = AbortSignal.abort(reason);
        await expect(resolveModel('owner/tiny', 'embedder', { signal })).rejects.toBe(reason);
        delete hub.content['onnx/model.onnx'];
        await expect(resolveModel('owner/tiny', 'embedder')).rejects.toThrow(
          /should have model\.safetensors but has not/,
        );
        await expect(resolveModel('owner/other', 'embedder')).rejects.toThrow(/should have config\.json/);
        hub.content['onnx/model.onnx'] = graph;
        await resolveModel('owner/tiny', 'embedder');
      });
    });
  });
});
