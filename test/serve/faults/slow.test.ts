import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { ask, startServer, type TestServer } from '../harness.ts';
import { PATIENT } from './patient.ts';
import { RawConnection, rawRequest } from './rawConnection.ts';
import { idle, workFigure } from './workloads.ts';

const DOCUMENTS = 300;
let server: TestServer;
beforeAll(async () => {
  // Few slots: whoever holds them for ever starves everybody else.
  server = await startServer({ slots: 2, requestTimeoutMs: 300, ranker: 'none', workloads: PATIENT });
  const documents = Array.from({ length: DOCUMENTS }, (_, i) => ({
    id: `d${i}`,
    title: `Nurse ${i} ${'care '.repeat(100)}`,
    text: `Night shift ${i}. ${'patients and wards '.repeat(50)}`,
  }));
  const { status } = await ask(`${server.url}/documents`, documents);
  expect(status).toBe(200);
});
afterAll(() => server.close());

const open: RawConnection[] = [];
const connect = async (options = {}): Promise<RawConnection> => {
  const connection = await RawConnection.open(server.url, options);
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
    const connection = await connect();
    await connection.send('POST /search HTTP/1.1\r\nhost: 127.0.0.1\r\n');
    expect((await connection.response())?.status).toBe(408);
    await connection.closed;
  });

  test('headers that come byte by byte are given up', async () => {
    const connection = await connect();
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
    const connection = await connect();
    const headers = { 'content-type': 'application/json', 'content-length': '100' };
    await connection.send(rawRequest('POST', path, undefined, headers));
    await connection.send('{"query":');
    const { status, body } = await connection.answer();
    expect([status, body.error.code]).toEqual([408, 'ERR_TIMEOUT']);
    await connection.closed;
  });

  test('an NDJSON body that stops in mid-stream: what came before may stay, the slot is free', async () => {
    const connection = await connect();
    const headers = { 'content-type': 'application/x-ndjson', 'content-length': '1000' };
    await connection.send(rawRequest('POST', '/documents', undefined, headers));
    await connection.send('{"id":"slow1","text":"A slow document."}\n{"id":"slow2",');
    const { status, body } = await connection.answer();
    expect([status, body.error.code]).toEqual([408, 'ERR_TIMEOUT']);
    expect((await ask(`${server.url}/documents/slow2`)).status).toBe(404);
    await ask(`${server.url}/documents/delete`, { ids: ['slow1'] });
  });

  test('a hundred of them leave room for others', async () => {
    for (let i = 0; i < 100; i++) {
      const connection = await connect();
      const headers = { 'content-type': 'application/json', 'content-length': '100' };
      await connection.send(rawRequest('POST', '/search', undefined, headers));
      void connection.closed;
    }
    expect((await ask(`${server.url}/search`, { query: 'nurse' })).status).toBe(200);
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

  test('in mid-body: nothing of an atomic upsert is stored', async () => {
    const connection = await connect();
    const headers = { 'content-type': 'application/x-ndjson', 'content-length': '1000' };
    await connection.send(rawRequest('POST', '/documents?atomic=true', undefined, headers));
    await connection.send('{"id":"gone1","text":"Left."}\n{"id":"gone2","text":"Left."}\n');
    connection.socket.resetAndDestroy();
    await once(connection.socket, 'close');
    expect((await ask(`${server.url}/documents/gone1`)).status).toBe(404);
  });
});
