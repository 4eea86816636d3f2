import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { ask, startServer, type TestServer } from '../harness.ts';
import { PATIENT } from './patient.ts';
import { RawConnection, rawRequest } from './rawConnection.ts';
import { idle, inFlight, requestsUnderWay, workFigure } from './workloads.ts';

const DOCUMENTS = 300;
const KEY = 'slow-secret-00001';
/** Few slots: whoever holds them for ever starves everybody else. */
const SETTINGS = { slots: 2, ranker: 'none', workloads: PATIENT };
let server: TestServer;
/** Those without patience are asked only for what is to come too late, and in one piece for what is not. */
let hasty: TestServer;
let guarded: TestServer;
beforeAll(async () => {
  const keys = [{ name: 'app', key: KEY, write: true }];
  server = await startServer(SETTINGS);
  hasty = await startServer({ ...SETTINGS, requestTimeoutMs: 300 });
  guarded = await startServer({ ...SETTINGS, requestTimeoutMs: 300, keys });
  const documents = Array.from({ length: DOCUMENTS }, (_, i) => ({
    id: `d${i}`,
    title: `Nurse ${i} ${'care '.repeat(100)}`,
    text: `Night shift ${i}. ${'patients and wards '.repeat(50)}`,
  }));
  const { status } = await ask(`${server.url}/documents`, documents);
  expect(status).toBe(200);
});
afterAll(() => Promise.all([server, hasty, guarded].map((each) => each.close())));

const open: RawConnection[] = [];
const connect = async (options = {}, { url } = server): Promise<RawConnection> => {
  const connection = await RawConnection.open(url, options);
  open.push(connection);
  return connection;
};
afterEach(async () => {
  for (const connection of open.splice(0)) connection.destroy();
  const { status, body } = await ask(`${server.url}/search`, { query: 'nurse' });
  expect([status, body.hits.length]).toEqual([200, 10]);
});

const search = (k = 10): Buffer => rawRequest('POST', '/search', JSON.stringify({ query: 'night shift', k }));

describe('clients that are slow to send', () => {
  test('headers that do not end are given up', async () => {
    const connection = await connect({}, hasty);
    await connection.send('POST /search HTTP/1.1\r\nhost: 127.0.0.1\r\n');
    expect((await connection.response())?.status).toBe(408);
    await connection.closed;
  });

  test('headers that come byte by byte are given up', async () => {
    const connection = await connect({}, hasty);
    let closed = false;
    void connection.closed.then(() => {
      closed = true;
    });
    const request = search().toString('latin1');
    for (let i = 0; !closed; i = (i + 1) % 20) {
      await connection.send(i === 0 ? 'GET / HTTP/1.1\r\nx-a: '.slice(0, request.length) : 'a');
      await sleep(10);
    }
    expect((await connection.response())?.status).toBe(408);
  });

  test.each(['/search', '/documents', '/rank'])('a body that does not come: %s', async (path) => {
    const connection = await connect({}, hasty);
    const headers = { 'content-type': 'application/json', 'content-length': '100' };
    await connection.send(rawRequest('POST', path, undefined, headers));
    await connection.send('{"query":');
    const { status, body } = await connection.answer();
    expect([status, body.error.code]).toEqual([408, 'ERR_TIMEOUT']);
    await connection.closed;
  });

  test('an NDJSON body that stops in mid-stream: what came before may stay, the slot is free', async () => {
    const connection = await connect({}, hasty);
    const headers = { 'content-type': 'application/x-ndjson', 'content-length': '1000' };
    await connection.send(rawRequest('POST', '/documents', undefined, headers));
    await connection.send('{"id":"slow1","text":"A slow document."}\n{"id":"slow2",');
    const { status, body } = await connection.answer();
    expect([status, body.error.code]).toEqual([408, 'ERR_TIMEOUT']);
    expect((await ask(`${hasty.url}/documents/slow2`)).status).toBe(404);
    await ask(`${hasty.url}/documents/delete`, { ids: ['slow1'] });
  });

  test('a hundred of them leave room for others', async () => {
    for (let i = 0; i < 100; i++) {
      const connection = await connect({}, hasty);
      const headers = { 'content-type': 'application/json', 'content-length': '100' };
      await connection.send(rawRequest('POST', '/search', undefined, headers));
      void connection.closed;
    }
    expect((await ask(`${hasty.url}/search?q=nurse`)).status).toBe(200);
  });

  test.each<[number, string, string, string, () => TestServer]>([
    [415, 'POST', '/search', 'application/x-ndjson', () => hasty],
    [415, 'POST', '/documents/delete', 'application/x-ndjson', () => hasty],
    [404, 'POST', '/nowhere', 'application/x-ndjson', () => hasty],
    [400, 'POST', '/%zz', 'application/x-ndjson', () => hasty],
    [401, 'POST', '/documents', 'application/x-ndjson', () => guarded],
    [401, 'POST', '/documents', 'application/json', () => guarded],
  ])(
    'a body that drips after it was refused is cut: %d %s %s as %s',
    async (status, method, path, type, of) => {
      const connection = await connect({}, of());
      const headers = { 'content-type': type, 'transfer-encoding': 'chunked' };
      await connection.send(rawRequest(method, path, undefined, headers));
      expect((await connection.response())?.status).toBe(status);
      let closed = false;
      void connection.closed.then(() => {
        closed = true;
      });
      while (!closed) {
        await connection.send('1\r\n \r\n');
        await sleep(10);
      }
    },
  );

  test('NDJSON drips for longer, whatever the case of its media type', async () => {
    const patient = await startServer({ ...SETTINGS, requestTimeoutMs: 2000 });
    const connection = await connect({}, patient);
    const headers = { 'content-type': 'Application/X-NDJSON; charset=utf-8', 'transfer-encoding': 'chunked' };
    await connection.send(rawRequest('POST', '/documents', undefined, headers));
    for (let i = 0; i < 30; i++) {
      await connection.send('1\r\n\n\r\n');
      await sleep(100);
    }
    const document = '{"id":"dripped","text":"It took its time."}';
    await connection.send(`${document.length.toString(16)}\r\n${document}\r\n0\r\n\r\n`);
    const { status, body } = await connection.answer();
    expect([status, body.inserted]).toEqual([200, 1]);
    await patient.close();
  });
});

describe('clients that are slow to read', () => {
  test('an answer that nobody reads holds no slot', async () => {
    for (let i = 0; i < 5; i++) {
      const connection = await connect();
      connection.socket.pause();
      // Answers enough to fill every buffer on the way.
      await connection.send(Buffer.concat(Array.from({ length: 20 }, () => search(DOCUMENTS))));
    }
    // As long as the hundred are worked off, their queue may be full.
    await idle(server.url);
    expect(await inFlight(server.url)).toBeGreaterThan(1);
    for (const connection of open) connection.destroy();
    await requestsUnderWay(server.url, 1);
    for (let i = 0; i < 5; i++) {
      expect((await ask(`${server.url}/search`, { query: 'nurse' })).status).toBe(200);
    }
  });
});

describe('half-closed sockets', () => {
  // As Node has it, whoever ends his side has left.
  test('a client that has sent everything and ended its side is let go', async () => {
    const connection = await connect({ allowHalfOpen: true });
    connection.socket.end(search());
    const response = await connection.response();
    expect(response === undefined || response.status === 200).toBe(true);
    await connection.closed;
    await idle(server.url);
  });

  test('a client that ends its side in mid-body is let go', async () => {
    const connection = await connect({ allowHalfOpen: true });
    const whole = search();
    connection.socket.end(whole.subarray(0, whole.length - 5));
    const response = await connection.response();
    expect(response === undefined || response.status === 400).toBe(true);
    await connection.closed;
  });

  test('a client that connects and ends at once is let go', async () => {
    const connection = await connect({ allowHalfOpen: true });
    connection.socket.end();
    await connection.closed;
  });
});

describe('clients that leave', () => {
  test('work that waits for a client that is gone is cancelled', async () => {
    const before = await workFigure(server.url, 'cancelled_total');
    let left = 0;
    // With two slots most of them wait; which of them run when they leave is a matter of chance.
    while ((await workFigure(server.url, 'cancelled_total')) === before) {
      const leaving = await Promise.all(Array.from({ length: 10 }, () => connect()));
      await Promise.all(leaving.map((connection) => connection.send(search(DOCUMENTS))));
      for (const connection of leaving) connection.socket.resetAndDestroy();
      left += leaving.length;
      await sleep(20);
    }
    expect(left).toBeGreaterThan(0);
  });

  test('all that they have asked for on one connection is cancelled and forgotten', async () => {
    const before = await workFigure(server.url, 'cancelled_total');
    let admitted = await workFigure(server.url, 'admitted_total');
    for (let round = 0; round < 3; round++) {
      const leaving = await Promise.all(Array.from({ length: 3 }, () => connect()));
      const piped = Buffer.concat(Array.from({ length: 10 }, () => search(DOCUMENTS)));
      for (const connection of leaving) await connection.send(piped);
      // All of them are there, most of them wait for a slot.
      admitted += 30;
      while ((await workFigure(server.url, 'admitted_total')) < admitted) await sleep(1);
      for (const connection of leaving) connection.socket.resetAndDestroy();
      await requestsUnderWay(server.url, 1);
    }
    await idle(server.url);
    expect(await workFigure(server.url, 'cancelled_total')).toBeGreaterThan(before);
  });

  test('in mid-body: nothing of an atomic upsert is stored', async () => {
    const connection = await connect();
    const headers = { 'content-type': 'application/x-ndjson', 'content-length': '1000' };
    await connection.send(rawRequest('POST', '/documents?atomic=true', undefined, headers));
    await connection.send('{"id":"gone1","text":"Left."}\n{"id":"gone2","text":"Left."}\n');
    connection.socket.resetAndDestroy();
    await once(connection.socket, 'close');
    await requestsUnderWay(server.url, 1);
    expect((await ask(`${server.url}/documents/gone1`)).status).toBe(404);
  });
});
