import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from '@jest/globals';
import { open } from '../../ts/open.ts';
import { buildApp } from '../../ts/serve/app.ts';
import { KeyRing } from '../../ts/serve/keys.ts';
import { serve } from '../../ts/serve/serve.ts';
import { createService } from '../../ts/serve/service.ts';
import { parseSettings } from '../../ts/serve/settings/parseSettings.ts';
import { shutDown } from '../../ts/serve/shutDown.ts';
import { startServer } from './harness.ts';
import { connection, parseAnswer, untilClosed } from './sockets.ts';

/** An upload that goes on until `end`. */
function startUpload(url: string, agent: Agent): ClientRequest {
  const { hostname, port } = new URL(url);
  const headers = { 'content-type': 'application/x-ndjson' };
  const upload = request({ hostname, port, path: '/documents', method: 'POST', headers, agent });
  upload.write('{"id":"a","text":"first"}\n');
  return upload;
}

/** Waits until so many requests are under way, the one that asks included. */
async function underWay(url: string, count: number): Promise<void> {
  let metrics = '';
  while (!metrics.includes(`seine_http_requests_in_flight ${count}\n`)) {
    metrics = await (await fetch(`${url}/metrics`, { headers: { connection: 'close' } })).text();
  }
}

/** Waits until nothing listens any more. */
async function deaf(url: string): Promise<void> {
  for (let open = true; open; ) {
    open = await connection(url).then(
      (socket) => Boolean(socket.destroy()),
      () => false,
    );
  }
}

describe('shutdown', () => {
  test('what is under way ends, nothing new is taken, idle connections are closed', async () => {
    const server = await startServer();
    const agent = new Agent({ keepAlive: true });
    const upload = startUpload(server.url, agent);
    await underWay(server.url, 2);
    const idle = await connection(server.url);
    idle.write('GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(idle, 'data');
    const idleEnds = untilClosed(idle);

    const closed = server.close();
    await deaf(server.url);
    await idleEnds;
    upload.end('{"id":"b","text":"second"}\n');
    const [response] = (await once(upload, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(200);
    expect(response.headers.connection).toBe('close');
    expect(JSON.parse(await text(response))).toMatchObject({ inserted: 2 });
    await closed;
    await server.close();
  });

  test('a connection that never asks, and one that asks for ever, do not hold it up', async () => {
    const server = await startServer({ drainMs: 20 });
    const silent = await connection(server.url);
    const upload = startUpload(server.url, new Agent());
    upload.on('error', () => {});
    const ended = new Promise((resolve) => upload.once('close', resolve));
    await underWay(server.url, 2);
    await Promise.all([server.close(), untilClosed(silent), ended]);
  });

  test('requests that come while it drains, or wait beyond the time, are told to come again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'seine-drain-'));
    const settings = parseSettings({
      index: join(folder, 'x.seine'),
      slots: 2,
      drainMs: 20,
      logLevel: 'silent',
    });
    const index = await open(settings.index, { device: 'cpu', ranker: 'none' });
    const service = createService(index, settings, { keys: new KeyRing([]), version: '0' });
    const app = await buildApp(service, process.stderr);
    let release = (): void => {};
    const blocked = new Promise<void>((resolve) => {
      release = resolve;
    });
    const blockers = [1, 2].map(() => service.work.run('interactive', () => blocked));
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    const waiting = fetch(`${url}/search?q=nurse`);
    await underWay(url, 2);

    const begun = await Promise.all(
      ['/healthz', '/readyz', '/search?q=x'].map(async (path) => {
        const socket = await connection(url);
        socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n`);
        return { socket, answer: untilClosed(socket) };
      }),
    );
    await underWay(url, 2); // by now the server has read these, too
    const down = shutDown(app, service);
    for (const { socket } of begun) socket.write('\r\n');
    const answers = await Promise.all(begun.map(async ({ answer }) => parseAnswer(await answer)));
    expect(answers.map(({ status }) => status)).toEqual([200, 503, 503]);
    for (const { body } of answers.slice(1)) expect(body).toMatchObject({ error: { code: 'ERR_CLOSED' } });
    const response = await waiting;
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.json()).toMatchObject({ error: { code: 'ERR_CLOSED' } });
    release();
    await Promise.all([down, ...blockers]);
    await expect(index.search('x')).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    rmSync(folder, { recursive: true, force: true });
  });
});

describe('an address that cannot be listened at', () => {
  test.each<[string, (port: number) => Record<string, unknown>, RegExp]>([
    ['a port in use', (port) => ({ port }), /^Port \d+ of 127\.0\.0\.1 is in use: stop what listens there/],
    [
      'a foreign address',
      () => ({ host: '192.0.2.1', keys: [{ name: 'a', key: 'k'.repeat(16) }] }),
      /^This machine has no address 192\.0\.2\.1: /,
    ],
  ])('%s', async (_, settingsFor, message) => {
    const server = await startServer();
    const given = {
      index: join(server.folder, 'other.seine'),
      port: 0,
      device: 'cpu',
      logLevel: 'silent',
    } as const;
    const settings = { ...given, ...settingsFor(Number(new URL(server.url).port)) };
    await expect(serve(settings)).rejects.toMatchObject({ message: expect.stringMatching(message) });
    // The index was closed again.
    await (await open(given.index, { ranker: 'none' })).close();
    await server.close();
  });
});
