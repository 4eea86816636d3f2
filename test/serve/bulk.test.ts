import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ingest } from '../../ts/offline/ingest/ingest.ts';
import { open } from '../../ts/open.ts';
import { ask, type Json, startServer, type TestServer } from './harness.ts';

const NDJSON = { 'content-type': 'application/x-ndjson' };
const stream = (server: TestServer, lines: string, headers = {}) =>
  ask(`${server.url}/documents`, undefined, {
    method: 'POST',
    body: lines,
    headers: { ...NDJSON, ...headers },
  });
const info = async (server: TestServer): Promise<Json> => (await ask(`${server.url}/info`)).body;
const line = (id: string, text = 'text', attributes = {}): string =>
  `${JSON.stringify({ id, text, attributes })}\n`;

describe('attributes', () => {
  const value = fc.oneof(
    fc.constantFrom<unknown>('Bern', '007', 'true', '2026-03-01', '2026-03-01T10:00:00+01:00', '', null),
    fc.constantFrom<unknown>(3, -2.5, 0, true, false, ['a', 'b'], [], [1, true], { lat: 46.9, lon: 7.4 }),
  );
  const documents = fc.array(fc.dictionary(fc.constantFrom('a', 'b', 'c'), value), {
    minLength: 1,
    maxLength: 8,
  });

  test('have the types and values that seine ingest gives them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'seine-bulk-'));
    const path = join(folder, 'documents.jsonl');
    let run = 0;
    try {
      await fc.assert(
        fc.asyncProperty(documents, async (all) => {
          const lines = all.map((attributes, i) => line(`d${i}`, `text ${i}`, attributes)).join('');
          writeFileSync(path, lines);
          const index = await open(join(folder, `${run++}.seine`), { ranker: 'none', device: 'cpu' });
          const server = await startServer({ ranker: 'none' });
          try {
            // With strict it stops at the first bad line, as the server does.
            const refused = await ingest(index, [path], { strict: true }).then(
              () => false,
              () => true,
            );
            const answer = await stream(server, lines);
            expect(answer.status).toBe(refused ? 422 : 200);
            const told = await info(server);
            const { attributes, documents: count } = await index.info();
            expect([told.attributes, told.documents]).toEqual([attributes, count]);
            for await (const { id, attributes: own } of index.documents()) {
              const { body } = await ask(`${server.url}/documents/${id}`);
              expect(body.attributes).toEqual(JSON.parse(JSON.stringify(own)));
            }
          } finally {
            await server.close();
            await index.close();
          }
        }),
        { numRuns: 12 },
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('keep the type that the index knows, over requests', async () => {
    const server = await startServer({ ranker: 'none' });
    try {
      await stream(server, line('d1', 'a', { when: '2026-03-01', code: 'x', tags: ['a'] }));
      await stream(server, line('d2', 'b', { when: Date.UTC(2026, 3, 1), code: 7, tags: 'b' }));
      expect((await ask(`${server.url}/documents/d2`)).body.attributes).toEqual({
        when: '2026-04-01T00:00:00.000Z',
        code: '7',
        tags: ['b'],
      });
      const { status, body } = await stream(server, line('d3', 'c', { when: 'soon' }));
      expect([status, body.error.code, body.error.line]).toEqual([422, 'ERR_ATTRIBUTE_TYPE', 1]);
    } finally {
      await server.close();
    }
  });
});

describe('a long stream', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ ranker: 'none' });
  });
  afterAll(() => server.close());

  const upload = () => {
    const sent = httpRequest(`${server.url}/documents`, { method: 'POST', headers: NDJSON });
    sent.on('error', () => {});
    return sent;
  };
  const stored = async (least: number): Promise<number> => {
    while (true) {
      const { documents } = await info(server);
      if (documents >= least) return documents;
    }
  };

  test('is stored as it comes, seen by searches meanwhile, and stays when the client leaves', async () => {
    const sent = upload();
    const text = 'a word '.repeat(40);
    for (let i = 0; i < 5000; i++) sent.write(line(`left${i}`, text));
    const seen = await stored(1);
    const { body } = await ask(`${server.url}/search`, { query: 'a word', depth: 0 });
    expect(body.hits.length).toBeGreaterThan(0);
    sent.destroy();
    await new Promise((resolve) => sent.once('close', resolve)); // not by `once`, which fails at the error before it
    const { documents } = await info(server);
    expect(documents).toBeGreaterThanOrEqual(seen);
    expect((await ask(`${server.url}/documents/left0`)).status).toBe(200);
  });

  test('is read no faster than it is stored', async () => {
    const sent = upload();
    const text = 'held back '.repeat(2000);
    let written = 0;
    const limit = 200 * 2 ** 20;
    while (written < limit) {
      const part = line(`back${written}`, text);
      written += part.length;
      if (sent.write(part)) continue;
      const drained = await Promise.race([
        once(sent, 'drain').then(() => true),
        stored(200).then(() => false),
      ]);
      if (!drained) break;
    }
    sent.destroy();
    expect(written).toBeLessThan(limit);
  });
});

test('a refusal in mid-stream tells what was stored, and when to come again', async () => {
  // One slot of two for bulk, and nobody may wait for it.
  const server = await startServer({
    ranker: 'none',
    slots: 2,
    workloads: { interactive: {}, bulk: { maxShare: 0.5, queue: 0 } },
  });
  try {
    const lines = (who: string): string =>
      Array.from({ length: 3000 }, (_, i) => line(`${who}${i}`, `text ${i} `.repeat(50))).join('');
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map((who) => stream(server, lines(who))));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    let known = answers.filter(({ status }) => status === 200).length * 3000;
    for (const { headers, body } of refused) {
      expect(body.error.code).toBe('ERR_OVERLOADED');
      expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      known += body.error.stored.inserted;
    }
    expect((await info(server)).documents).toBe(known);
  } finally {
    await server.close();
  }
});
