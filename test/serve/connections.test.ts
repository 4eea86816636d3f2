import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ask, startServer, type TestServer } from './harness.ts';
import { connection, exchange, parseAnswer, untilClosed } from './sockets.ts';

const error = (code: string) => ({
  error: { code, message: expect.any(String), requestId: expect.any(String) },
});

describe('what fails before there is a request', () => {
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
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    const counted = [...metrics.matchAll(/^seine_http_client_errors_total\{status="(\d+)"\} (\d+)$/gm)];
    expect(Object.fromEntries(counted.map(([, status, times]) => [status, times]))).toEqual({
      400: '4',
      408: '1',
      431: '3',
    });
  });
});

describe('requests', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ bodyLimit: 1024, maxConnections: 3 });
  });
  afterAll(() => server.close());
  const json = { 'content-type': 'application/json' };

  test.each<[number, string, string, RequestInit]>([
    [404, 'ERR_NOT_FOUND', '/nowhere?secret=1', {}],
    [404, 'ERR_NOT_FOUND', '/search', { method: 'PUT' }],
    [400, 'ERR_ARGUMENT', '/documents/%zz', {}],
    [
      413,
      'ERR_TOO_LARGE',
      '/search',
      { method: 'POST', headers: json, body: `{"query":"${'x'.repeat(2000)}"}` },
    ],
    [
      415,
      'ERR_MEDIA_TYPE',
      '/search',
      { method: 'POST', headers: { 'content-type': 'text/xml' }, body: '<x/>' },
    ],
    [415, 'ERR_MEDIA_TYPE', '/search', { method: 'POST', body: new Uint8Array(2) }],
    [400, 'ERR_ARGUMENT', '/search', { method: 'POST', headers: json, body: '{"query":' }],
    [400, 'ERR_ARGUMENT', '/search', { method: 'POST', headers: json, body: '' }],
    [400, 'ERR_ARGUMENT', '/search', { method: 'POST', headers: json, body: '{"query":"x","__proto__":{}}' }],
    [400, 'ERR_ARGUMENT', '/search', { method: 'POST', headers: json, body: '{"query":"x","k":NaN}' }],
    [400, 'ERR_ARGUMENT', '/search', { method: 'POST', headers: json, body: '{"query":7}' }],
    [400, 'ERR_ARGUMENT', '/search', { method: 'POST', headers: json, body: 'null' }],
  ])('%d %s %s', async (status, code, path, init) => {
    const response = await fetch(server.url + path, init);
    expect(response.status).toBe(status);
    const body = await response.json();
    expect(body).toEqual(error(code));
    expect(JSON.stringify(body)).not.toContain('secret');
    expect(response.headers.get('x-request-id')).toBe((body as ReturnType<typeof error>).error.requestId);
  });

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
