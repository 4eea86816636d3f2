import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ask, startServer, type TestServer } from '../harness.ts';
import { PATIENT } from './patient.ts';
import { RawConnection, rawRequest } from './rawConnection.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ ranker: 'none', workloads: PATIENT });
});
afterAll(() => server.close());

/** Documents in the index, as many as they are. */
const count = async (): Promise<number> => (await ask(`${server.url}/info`)).body.documents;
const there = async (): Promise<string[]> => {
  const { body } = await ask(`${server.url}/search`, { query: 'ward', k: 1000, retrieve: 'dense' });
  return body.hits.map(({ id }: { id: string }) => id).sort();
};
beforeEach(async () => {
  for (let found = await there(); found.length > 0; found = await there()) {
    await ask(`${server.url}/documents/delete`, { ids: found });
  }
});

const line = (i: number): string =>
  `${JSON.stringify({ id: `d${String(i).padStart(4, '0')}`, text: `Ward ${i}.` })}\n`;
const lines = (count: number, from = 0): string =>
  Array.from({ length: count }, (_, i) => line(from + i)).join('');
const ids = (count: number): string[] => Array.from({ length: count }, (_, i) => JSON.parse(line(i)).id);

async function send(body: string | Uint8Array, atomic: boolean) {
  const connection = await RawConnection.open(server.url);
  const headers = { 'content-type': 'application/x-ndjson' };
  await connection.send(rawRequest('POST', `/documents?atomic=${atomic}`, body, headers));
  const answer = await connection.answer();
  connection.destroy();
  return answer;
}

const BAD: [name: string, line: string | Uint8Array][] = [
  ['JSON that ends too early', '{"id":"x","text":'],
  ['a cut string', '{"id":"x","text":"War'],
  ['no object', '[1,2]'],
  ['a number', '17'],
  ['NaN', '{"id":"x","text":"Ward","attributes":{"pay":NaN}}'],
  ['no id', '{"text":"Ward"}'],
  ['an id that is a number', '{"id":1,"text":"Ward"}'],
  ['no text', '{"id":"x"}'],
  ['an unknown field', '{"id":"x","text":"Ward","body":"Ward"}'],
  ['__proto__', '{"id":"x","text":"Ward","__proto__":{"a":1}}'],
  ['two values', '{"id":"x","text":"Ward"}{"id":"y","text":"Ward"}'],
  ['NUL', '\u0000'],
  [
    '10,000 nested arrays as attributes',
    `{"id":"x","text":"Ward","attributes":${'['.repeat(1e4)}${']'.repeat(1e4)}}`,
  ],
  [
    '10,000 nested arrays as an attribute',
    `{"id":"x","text":"Ward","attributes":{"a":${'['.repeat(1e4)}${']'.repeat(1e4)}}}`,
  ],
];

describe.each([20, 3000])('a bad line after %d good ones', (before) => {
  const body = (bad: string | Uint8Array): Buffer =>
    Buffer.concat([
      Buffer.from(lines(before)),
      Buffer.from(bad),
      Buffer.from('\n'),
      Buffer.from(lines(5, before)),
    ]);

  test.each(before === 20 ? BAD : BAD.slice(0, 1))('%s: what came before it stays', async (_, bad) => {
    const { status, body: answer } = await send(body(bad), false);
    expect([status, answer.error.line]).toEqual([422, before + 1]);
    expect(answer.error.code).toMatch(/^ERR_(DATA|ATTRIBUTE_TYPE)$/);
    expect(answer.error.stored.inserted).toBe(before);
    expect(await count()).toBe(before);
    expect((await ask(`${server.url}/documents/${ids(before).at(-1)}`)).status).toBe(200);
  });

  test.each(before === 20 ? BAD : BAD.slice(0, 1))('%s, atomic: nothing is stored', async (_, bad) => {
    const { status, body: answer } = await send(body(bad), true);
    expect([status, answer.error.line]).toEqual([422, before + 1]);
    expect(await count()).toBe(0);
  });
});

describe('an end in mid-stream', () => {
  test.each([true, false])('the connection breaks (atomic %s)', async (atomic) => {
    const connection = await RawConnection.open(server.url);
    const headers = { 'content-type': 'application/x-ndjson', 'content-length': '1000000' };
    await connection.send(rawRequest('POST', `/documents?atomic=${atomic}`, undefined, headers));
    await connection.send(`${lines(50)}{"id":"cut","te`);
    connection.socket.resetAndDestroy();
    const last = await send(line(900), false);
    expect(last.status).toBe(200);
    const found = await there();
    const before = found.filter((id) => id !== 'd0900');
    // Whole documents in their order, as many as had been read: none of them if all or nothing was asked for.
    expect(before).toEqual(atomic ? [] : ids(50).slice(0, before.length));
    expect(found).not.toContain('cut');
  });

  test('a last line without its line break counts', async () => {
    const { status, body } = await send(lines(3).trimEnd(), false);
    expect([status, body.inserted]).toEqual([200, 3]);
  });

  test('blank lines, CRLF and a byte order mark do not matter', async () => {
    const { status, body } = await send(`\ufeff${lines(2).replaceAll('\n', '\r\n\r\n')}`, false);
    expect([status, body.inserted]).toEqual([200, 2]);
  });
});
