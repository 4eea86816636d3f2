import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { QUESTION_BYTES } from '../../../ts/serve/schemas.ts';
import { ServerProcess } from '../../helpers/serverProcess.mjs';
import { ask, DOCUMENTS, type Json } from '../harness.ts';
import { freshFolder } from './folder.ts';
import { PATIENT } from './patient.ts';
import { RawConnection, rawRequest } from './rawConnection.ts';

let server: ServerProcess;
beforeAll(async () => {
  server = await ServerProcess.start({ index: folder.path('bodies.seine'), workloads: PATIENT });
  await ask(`${server.url}/documents`, DOCUMENTS);
});
afterAll(async () => {
  expect(await server.stop()).toEqual({ code: 0, signal: null });
});
const folder = freshFolder();

/** Sends a body as it is, over a connection of its own. */
async function post(path: string, body: string | Uint8Array, type = 'application/json') {
  const connection = await RawConnection.open(server.url);
  await connection.send(rawRequest('POST', path, body, { 'content-type': type }));
  const answer = await connection.answer();
  connection.destroy();
  return answer;
}

function expectRefusal({ status, body }: { status: number; body: Json }, wanted: number, code: string): void {
  expect({ status, body }).toMatchObject({
    status: wanted,
    body: { error: { code, message: expect.any(String), requestId: expect.any(String) } },
  });
}

const works = async (): Promise<void> => {
  const { status, body } = await ask(`${server.url}/search`, { query: 'nurse', depth: 0 });
  expect(status).toBe(200);
  expect(body.hits[0].id).toBe('a');
};

const MALFORMED: [name: string, body: string][] = [
  ['nothing', ''],
  ['NaN', '{"query":"a","k":NaN}'],
  ['Infinity', '{"query":"a","deadlineMs":Infinity}'],
  ['minus Infinity', '{"query":"a","deadlineMs":-Infinity}'],
  ['a number that overflows to Infinity', '{"query":"a","deadlineMs":1e999}'],
  ['an enormous integer', `{"query":"a","k":${'9'.repeat(5000)}}`],
  ['an integer past 2^53', '{"query":"a","k":9007199254740993}'],
  ['a negative zero as k', '{"query":"a","k":-0}'],
  ['100,000 nested arrays', '['.repeat(100_000) + ']'.repeat(100_000)],
  ['100,000 nested arrays in a field', `{"query":${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
  ['nested arrays without an end', '['.repeat(100_000)],
  [
    '100,000 nested filters',
    `{"query":"a","filter":${'{"not":'.repeat(100_000)}{"exists":"pay"}${'}'.repeat(100_000)}}`,
  ],
  ['__proto__', '{"query":"a","__proto__":{"k":1}}'],
  ['constructor.prototype', '{"query":"a","constructor":{"prototype":{"k":1}}}'],
  ['__proto__ in a filter', '{"query":"a","filter":{"__proto__":{"exists":"pay"}}}'],
  ['a cut body', '{"query":"a'],
  ['two values', '{"query":"a"}{"query":"b"}'],
  ['a string', '"nurse"'],
  ['null', 'null'],
  ['a byte order mark alone', '\ufeff'],
];

describe('bodies that are no searches', () => {
  test.each(MALFORMED)('%s', async (_, body) => {
    const answer = await post('/search', body);
    expect(answer.status).toBe(400);
    expect(['ERR_ARGUMENT', 'ERR_FILTER']).toContain(answer.body.error.code);
    expect(answer.body.error.message.length).toBeLessThan(1000);
  });

  test('the server still answers, and no prototype was touched', async () => {
    await works();
    expect(
      (await ask(`${server.url}/search`, { query: 'nurse', depth: 0 })).body.hits.length,
    ).toBeGreaterThan(1);
  });

  test('bytes that are not UTF-8', async () => {
    const { status } = await post('/search', Buffer.from('{"query":"\xff\xfe\xc0"}', 'latin1'));
    expect([200, 400]).toContain(status);
  });
});

describe('strange but legal strings', () => {
  test.each([
    ['lone surrogates', '"\\ud800 nurse \\udfff"'],
    ['NUL', '"nurse \\u0000 night"'],
    ['control characters', '"\\u0001\\u0007\\u001b[31m"'],
    ['right-to-left marks and joiners', '"\\u202e\\u200d\\ufe0f"'],
    ['100,000 combining marks', `"a${'\u0301'.repeat(100_000)}"`],
    ['one word of 100,000 letters', `"${'x'.repeat(100_000)}"`],
    ['quotes and operators of full-text search', '"\\" OR NEAR(a b) * ^ : - AND"'],
  ])('%s in a query', async (_, query) => {
    const { status, body } = await post('/search', `{"query":${query},"depth":2}`);
    expect({ status, error: body.error }).toEqual({ status: 200, error: undefined });
    expect(body.hits).toBeInstanceOf(Array);
  });

  test.each([
    ['lone surrogates', '\\ud800'],
    ['NUL', '\\u0000'],
    ['__proto__', '__proto__'],
    ['a slash and a percent sign', 'a/b%2f..'],
  ])('%s in an id, a title, a text and an attribute: stored as sent, or refused', async (_, odd) => {
    const document = `{"id":"odd ${odd}","title":"${odd}","text":"Text ${odd}.","attributes":{"city":"${odd}"}}`;
    const { status, body } = await post('/documents', document);
    if (status !== 200) {
      expect([400, 422]).toContain(status);
      expect(body.error.code).toMatch(/^ERR_(ARGUMENT|DATA)$/);
      return;
    }
    const { id, title, text, attributes } = JSON.parse(document);
    const got = await ask(`${server.url}/documents/${encodeURIComponent(id)}`);
    expect(got.body).toMatchObject({ id, title, text, attributes });
    expect((await ask(`${server.url}/documents/delete`, { ids: [id] })).body.deleted).toBe(1);
  });
});

describe('bodies of 100 MB', () => {
  const size = 100_000_000;
  /** The default of bodyLimit. */
  const limit = 8_388_608;
  const chunk = Buffer.alloc(1 << 20, 'x');

  test('are refused by their announced length, and what comes all the same leaves no memory behind', async () => {
    const before = await server.memory();
    for (let i = 0; i < 4; i++) {
      const connection = await RawConnection.open(server.url);
      const headers = { 'content-type': 'application/json', 'content-length': String(size) };
      await connection.send(rawRequest('POST', '/documents', undefined, headers));
      expectRefusal(await connection.answer(), 413, 'ERR_TOO_LARGE');
      for (let sent = 0; sent < size; sent += chunk.length) await connection.send(chunk);
      await connection.closed;
      connection.destroy();
    }
    const after = await server.memory();
    expect(after.external - before.external).toBeLessThan(20e6);
    expect(after.heapUsed - before.heapUsed).toBeLessThan(20e6);
    await works();
  });

  test.each([
    ['/search', QUESTION_BYTES],
    ['/explain', QUESTION_BYTES],
    ['/rank', limit],
    ['/documents/delete', limit],
    ['/openai/v1/embeddings', limit],
    ['/cohere/v2/rerank', limit],
    ['/jina/v1/rerank', limit],
    ['/tei/embed', limit],
    ['/documents', limit],
  ])('are refused when they turn out so large: %s', async (path, most) => {
    const connection = await RawConnection.open(server.url);
    const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
    await connection.send(rawRequest('POST', path, undefined, headers));
    const piece = async (content: Uint8Array): Promise<void> => {
      await connection.send(Buffer.concat([Buffer.from(`${content.length.toString(16)}\r\n`), content]));
      await connection.send('\r\n');
    };
    for (let sent = 0; sent < most; sent += chunk.length) await piece(chunk);
    await piece(Buffer.from('x')); // past the limit
    const { status, body } = await connection.answer();
    expect([status, JSON.stringify(body)]).toEqual([413, expect.stringContaining(`${most} bytes at most`)]);
    connection.destroy();
    await works();
  });
});
