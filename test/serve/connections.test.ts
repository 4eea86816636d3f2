import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ask, startServer, type TestServer } from './harness.ts';
import { connection, exchange, parseAnswer, untilClosed } from './sockets.ts';

const error = (code: string) => ({
  error: { code, message: expect.any(String), requestId: expect.any(String) },
});

const post = (body: string, type = 'application/json'): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': type },
  body,
});

const clientErrors = async ({ url }: TestServer): Promise<Record<string, string>> => {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const counted = [...metrics.matchAll(/^seine_http_client_errors_total\{status="(\d+)"\} (\d+)$/gm)];
  return Object.fromEntries(counted.map(([, status, times]) => [status, times]));
};

describe('what does not come in time', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ headersTimeoutMs: 200, requestTimeoutMs: 400 });
  });
  afterAll(() => server.close());

  test('headers that do not end: 408', async () => {
    const { status, head, body } = parseAnswer(
      await exchange(server.url, 'GET / HTTP/1.1\r\nHost: localhost\r\n'),
    );
    expect(status).toBe(408);
    expect(body).toEqual(error('ERR_TIMEOUT'));
    expect(head).toMatch(/x-request-id: \S+/);
  });

  test('a body that does not end: 408', async () => {
    const head =
      'POST /search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n';
    const { status, body } = parseAnswer(await exchange(server.url, `${head}{"query":`));
    expect(status).toBe(408);
    expect(body).toEqual(error('ERR_TIMEOUT'));
  });

  test('the first of them is counted as no request', async () => {
    expect(await clientErrors(server)).toEqual({ 408: '1' });
  });
});

describe('what fails before there is a request', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.close());

  test.each([
    ['one header', `X-Long: ${'x'.repeat(20_000)}\r\n`],
    ['many headers', 'X-Many: y\r\n'.repeat(4_000)],
    ['the address', undefined],
  ])('too much of %s: 431', async (_, headers) => {
    const path = headers === undefined ? `/${'x'.repeat(20_000)}` : '/';
    const answer = await exchange(
      server.url,
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers ?? ''}\r\n`,
    );
    const { status, body } = parseAnswer(answer);
    expect(status).toBe(431);
    expect(body).toEqual(error('ERR_TOO_LARGE'));
  });

  test.each([
    ['no HTTP', 'hello\r\n\r\n'],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['two lengths', 'POST /search HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    [
      'length and chunks',
      'POST /search HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    ],
  ])('%s: 400', async (_, bytes) => {
    const { status, body } = parseAnswer(await exchange(server.url, bytes));
    expect(status).toBe(400);
    expect(body).toEqual(error('ERR_ARGUMENT'));
  });

  test('they are counted, and the server goes on', async () => {
    expect(await clientErrors(server)).toEqual({ 400: '4', 431: '3' });
  });
});

describe('requests', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ bodyLimit: 1024, maxConnections: 3 });
  });
  afterAll(() => server.close());

  test.each<[number, string, string, RequestInit, RegExp]>([
    [404, 'ERR_NOT_FOUND', '/nowhere?secret=1', {}, /^There is no GET \/nowhere: /],
    [404, 'ERR_NOT_FOUND', '/search', { method: 'PUT' }, /^There is no PUT \/search: /],
    [400, 'ERR_ARGUMENT', '/documents/%zz', {}, /^The path is not a valid URL: percent-encode /],
    [
      413,
      'ERR_TOO_LARGE',
      '/search',
      post(`{"query":"${'x'.repeat(2000)}"}`),
      /1024 bytes at most here: send less/,
    ],
    [415, 'ERR_MEDIA_TYPE', '/search', post('<x/>', 'text/xml'), /is not read here: send application\/json/],
    [415, 'ERR_MEDIA_TYPE', '/search', post('x', 'nonsense'), /is not read here: send application\/json/],
    [415, 'ERR_MEDIA_TYPE', '/search', { method: 'POST', body: new Uint8Array(2) }, /send application\/json/],
    [
      415,
      'ERR_MEDIA_TYPE',
      '/documents/delete',
      post('{"ids":[]}', 'application/x-ndjson'),
      /send application\/json/,
    ],
    [400, 'ERR_ARGUMENT', '/search', post('{"query":'), /^The body is not JSON: .*; correct it\.$/],
    [400, 'ERR_ARGUMENT', '/search', post(''), /^The body is empty: send JSON\.$/],
    [
      400,
      'ERR_ARGUMENT',
      '/search',
      post('{"query":"x","__proto__":{}}'),
      /^The body has the key "__proto__", .*: rename it\.$/,
    ],
    [
      400,
      'ERR_ARGUMENT',
      '/documents',
      post('[{"id":"a","\\u005f_proto__":{}}]'),
      /^The body has the key "__proto__", /,
    ],
    [
      400,
      'ERR_ARGUMENT',
      '/documents',
      post('{"id":"a","text":"x","attributes":{"constructor":{"prototype":1}}}'),
      /^The body has the key "constructor" with "prototype" in it, which is not taken: rename it\.$/,
    ],
    [400, 'ERR_ARGUMENT', '/search', post('{"query":"x","k":NaN}'), /^The body is not JSON: /],
    [400, 'ERR_ARGUMENT', '/search', post('{"query":7}'), /^body\.query must be string, got 7\.$/],
    [400, 'ERR_ARGUMENT', '/search', post('null'), /^body must be object, got null\.$/],
  ])('%d %s %s', async (status, code, path, init, message) => {
    const response = await fetch(server.url + path, init);
    expect(response.status).toBe(status);
    const body = (await response.json()) as ReturnType<typeof error>;
    expect(body).toEqual(error(code));
    expect(body.error.message).toMatch(message);
    expect(JSON.stringify(body)).not.toContain('secret');
    expect(response.headers.get('x-request-id')).toBe(body.error.requestId);
  });

  test.each(['"__proto__":1', '"constructor":{"prototype":1}'])(
    'NDJSON refuses the key %s, too',
    async (key) => {
      const lines = `{"id":"a","text":"x"}\n{"id":"b","text":"x","attributes":{${key}}}\n`;
      const { status, body } = await ask(
        `${server.url}/documents`,
        undefined,
        post(lines, 'application/x-ndjson'),
      );
      expect([status, body.error.line, body.error.stored.inserted]).toEqual([422, 2, 1]);
      expect(body.error.message).toMatch(/^Line 2 has the key ".*, which is not taken: rename it\.$/);
      await ask(`${server.url}/documents/a`, undefined, { method: 'DELETE' });
    },
  );

  test('the id that a caller gives is kept if it is one', async () => {
    const idOf = async (given: string): Promise<string | null> => {
      const { headers } = await ask(`${server.url}/healthz`, undefined, {
        headers: { 'x-request-id': given },
      });
      return headers.get('x-request-id');
    };
    expect(await idOf('order-17_b')).toBe('order-17_b');
    for (const given of ['a b', 'x'.repeat(65), '{"a":1}']) {
      expect(await idOf(given)).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  test('connections beyond the limit are closed at once, and those that are free are taken again', async () => {
    const first = await startServer({ maxConnections: 2 });
    try {
      const open = [await connection(first.url), await connection(first.url)];
      expect(await exchange(first.url, 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')).toBe('');
      const gone = untilClosed(open[0]!);
      open[0]!.destroy();
      await gone;
      let answer = '';
      while (answer === '') {
        const get = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
        answer = await exchange(first.url, get);
      }
      expect(answer).toContain('seine_http_connections 2\n');
      expect(answer).toMatch(/seine_http_connections_refused_total [1-9]/);
      open[1]!.destroy();
    } finally {
      await first.close();
    }
  });

  test('a client that goes before its answer is noted as such', async () => {
    const { hostname, port } = new URL(server.url);
    const upload = request({
      hostname,
      port,
      path: '/documents',
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
    });
    upload.on('error', () => {});
    upload.write('{"id":"a","text":"x"}\n');
    let text = '';
    while (!text.includes('route="/documents",status="499"} 1\n')) {
      text = await (await fetch(`${server.url}/metrics`)).text();
      // What is in flight is this request and the upload.
      if (text.includes('seine_http_requests_in_flight 2\n')) upload.destroy();
    }
    expect(text).toContain('seine_http_requests_in_flight 1\n');
  });
});
