import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ask, DOCUMENTS, startServer, type TestServer } from '../harness.ts';
import { PATIENT } from './patient.ts';
import { RawConnection, rawRequest } from './rawConnection.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ ranker: 'none', workloads: PATIENT });
  await ask(`${server.url}/documents`, DOCUMENTS);
});
afterAll(() => server.close());

const search = (query = 'nurse'): string => JSON.stringify({ query, depth: 0 });

async function exchange(request: Uint8Array | string) {
  const connection = await RawConnection.open(server.url);
  await connection.send(request);
  const response = await connection.response();
  connection.destroy();
  return response;
}

const works = async (): Promise<void> => {
  const { status, body } = await ask(`${server.url}/search`, JSON.parse(search()));
  expect(status).toBe(200);
  expect(body.hits[0].id).toBe('a');
};

describe('header floods', () => {
  test('many headers', async () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`x-h${i}`, 'v']));
    const response = await exchange(rawRequest('POST', '/search', search(), many));
    expect(response?.status).toBe(431);
    await works();
  });

  test('one large header', async () => {
    const response = await exchange(
      rawRequest('GET', '/search?q=a', undefined, { 'x-large': 'x'.repeat(1 << 20) }),
    );
    expect(response?.status).toBe(431);
    await works();
  });

  test('a large URL', async () => {
    const response = await exchange(rawRequest('GET', `/search?q=${'x'.repeat(1 << 20)}`));
    expect([400, 414, 431]).toContain(response?.status);
    await works();
  });

  test('headers without an end', async () => {
    const connection = await RawConnection.open(server.url);
    await connection.send('POST /search HTTP/1.1\r\nhost: 127.0.0.1\r\n');
    for (let i = 0; i < 10_000; i++) await connection.send(`x-h${i}: ${'v'.repeat(100)}\r\n`);
    expect((await connection.response())?.status).toBe(431);
    await connection.closed;
    connection.destroy();
    await works();
  });
});

describe('what is no HTTP', () => {
  test.each([
    ['binary', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
    ['a bad version', 'GET / HTTP/9.9\r\n\r\n'],
    ['a bad method', 'NONSENSE /search HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n'],
    ['a header without a colon', 'GET /healthz HTTP/1.1\r\nhost 127.0.0.1\r\n\r\n'],
    ['no host', 'GET /healthz HTTP/1.1\r\n\r\n'],
    [
      'two lengths',
      'POST /search HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 2\r\ncontent-length: 9\r\n\r\n{}',
    ],
    [
      'a length and chunks (request smuggling)',
      'POST /search HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'a bad chunk',
      'POST /search HTTP/1.1\r\nhost: 127.0.0.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n',
    ],
    ['a negative length', 'POST /search HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: -1\r\n\r\n'],
  ])('%s', async (_, sent) => {
    const response = await exchange(Buffer.from(sent, 'latin1'));
    expect(response?.status).toBeGreaterThanOrEqual(400);
    expect(response?.status).toBeLessThan(500);
    await works();
  });
});

describe('methods and media types', () => {
  test.each([
    ['PUT', '/search'],
    ['DELETE', '/search'],
    ['PATCH', '/documents'],
    ['PUT', '/documents/a'],
    ['GET', '/rank'],
    ['POST', '/healthz'],
    ['GET', '/documents/'],
    ['GET', '/..%2f..%2fetc/passwd'],
    ['GET', '/nowhere'],
  ])('%s %s is refused in the one shape', async (method, path) => {
    const connection = await RawConnection.open(server.url);
    await connection.send(rawRequest(method, path));
    const { status, headers, body } = await connection.answer();
    connection.destroy();
    expect([400, 404, 405]).toContain(status);
    expect(body).toEqual({
      error: { code: expect.any(String), message: expect.any(String), requestId: headers['x-request-id'] },
    });
  });

  test.each(['/search', '/documents', '/rank'])('%s refuses what it does not read', async (path) => {
    for (const type of ['text/plain', 'application/xml', 'multipart/form-data; boundary=x', 'nonsense', '']) {
      const response = await exchange(rawRequest('POST', path, search(), { 'content-type': type }));
      expect(response?.status).toBe(415);
      expect(JSON.parse(response!.text).error.code).toBe('ERR_MEDIA_TYPE');
    }
  });
});

describe('pipelining', () => {
  test('answers come in the order of the requests', async () => {
    const queries = ['nurse', 'engineer', 'pallets', 'court'];
    const connection = await RawConnection.open(server.url);
    await connection.send(
      Buffer.concat(queries.map((query) => rawRequest('POST', '/search', search(query)))),
    );
    for (const query of queries) {
      const { status, body } = await connection.answer();
      expect([status, body.query]).toEqual([200, query]);
    }
    connection.destroy();
  });

  test('one that is refused does not take the others along', async () => {
    const connection = await RawConnection.open(server.url);
    await connection.send(
      Buffer.concat([
        rawRequest('POST', '/search', '{"query":1}'),
        rawRequest('GET', '/nowhere'),
        rawRequest('POST', '/search', search()),
      ]),
    );
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await connection.answer()).status);
    connection.destroy();
    expect(statuses).toEqual([400, 404, 200]);
  });
});
