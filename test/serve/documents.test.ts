import { request as httpRequest } from 'node:http';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ask, type Json, startServer, type TestServer } from './harness.ts';

const BODY_LIMIT = 65_536;
let server: TestServer;
beforeAll(async () => {
  server = await startServer({ ranker: 'none', bodyLimit: BODY_LIMIT });
});
afterAll(() => server.close());

/** Sends NDJSON as it is. */
const stream = (body: RequestInit['body'], query = '') =>
  ask(`${server.url}/documents${query}`, undefined, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/x-ndjson' },
    duplex: 'half',
  } as RequestInit);
const send = (documents: unknown, query = '') => ask(`${server.url}/documents${query}`, documents);
const get = async (id: string): Promise<Json> =>
  (await ask(`${server.url}/documents/${encodeURIComponent(id)}`)).body;
const stored = async (): Promise<number> => (await ask(`${server.url}/info`)).body.documents;
const lines = (...documents: unknown[]): string => documents.map((d) => JSON.stringify(d)).join('\n');

beforeEach(async () => {
  const ids = Array.from({ length: 50 }, (_, i) => `d${i}`);
  await ask(`${server.url}/documents/delete`, { ids: [...ids, 'x', 'a/b c?', 'é'.repeat(300)] });
});

describe('one document or an array, as JSON', () => {
  test('is stored, got and deleted', async () => {
    const document = {
      id: 'd1',
      title: 'Night nurse',
      text: 'Care at night.',
      attributes: { city: 'Bern', pay: 90 },
    };
    const { status, body } = await send(document);
    expect(status).toBe(200);
    expect(body).toMatchObject({ inserted: 1, updated: 0, unchanged: 0, truncated: 0 });
    expect(await get('d1')).toEqual(document);
    expect((await send([document, { id: 'd2', text: 'b' }])).body).toMatchObject({
      inserted: 1,
      unchanged: 1,
    });
    const gone = await ask(`${server.url}/documents/d1`, undefined, { method: 'DELETE' });
    expect(gone.body).toMatchObject({ deleted: 1 });
    expect(gone.body.generation).toBeGreaterThan(body.generation);
    expect((await ask(`${server.url}/documents/d1`, undefined, { method: 'DELETE' })).body.deleted).toBe(0);
    const { status: missing, body: failure } = await ask(`${server.url}/documents/d1`);
    expect([missing, failure.error.code]).toEqual([404, 'ERR_NOT_FOUND']);
    const several = await ask(`${server.url}/documents/delete`, { ids: ['d1', 'd2', 'no'] });
    expect(several.body.deleted).toBe(1);
  });

  test.each(['a/b c?', 'é'.repeat(300)])('ids may hold anything: %s', async (id) => {
    await send({ id, text: 'text' });
    expect((await get(id)).id).toBe(id);
  });

  test('the first bad document is named, and what came before stays', async () => {
    const { status, body } = await send([{ id: 'd1', text: 'a' }, { id: 'd2' }, { id: 'd3', text: 'c' }]);
    expect(status).toBe(422);
    expect(body.error).toMatchObject({ code: 'ERR_DATA', document: 1, stored: { inserted: 1 } });
    expect(body.error.message).toMatch(/^Document 1 \(counted from 0\) must have a text/);
    expect(await stored()).toBe(1);
  });

  test('no body at all, and one that is nested deeply, are refused as any other', async () => {
    const none = await ask(`${server.url}/documents`, undefined, { method: 'POST' });
    expect([none.status, none.body.error.code]).toEqual([422, 'ERR_DATA']);
    const nested = `${'['.repeat(9000)}${']'.repeat(9000)}`;
    const deep = await ask(`${server.url}/documents`, undefined, {
      method: 'POST',
      body: `[{"id":"d1","text":"a","attributes":{"deep":${nested}}}]`,
      headers: { 'content-type': 'application/json' },
    });
    expect([deep.status, deep.body.error.document]).toEqual([422, 0]);
  });

  test.each([
    ['null', /must be an object with id and text, got null/],
    ['3', /got 3/],
    ['{"id":7,"text":"a"}', /must have an id, .* got 7/],
    ['{"id":"","text":"a"}', /must have an id/],
    ['{"id":"d1","text":"a","city":"Bern"}', /has a field "city"; .* Put others into attributes/],
    ['{"id":"d1","text":"a","title":1}', /must have a string as its title/],
    ['{"id":"d1","text":"a","attributes":["a"]}', /must have an object as its attributes/],
    ['{"id":"d1","text":"a","attributes":{"x":1e999}}', /attribute "x" must be/],
    ['{"id":"d1","text":"a","attributes":{"y":{"z":1}}}', /must hold a point/],
  ])('%s is no document', async (document, message) => {
    const { status, body } = await stream(document);
    expect(status).toBe(422);
    expect(body.error.message).toMatch(message);
    expect(body.error.line).toBe(1);
    expect(await stored()).toBe(0);
  });
});

describe('NDJSON', () => {
  test('line breaks of any kind, blank lines, a byte order mark and no last break', async () => {
    const { body } = await stream(
      `\ufeff${lines({ id: 'd1', text: 'a' })}\r\n\r\n  \n${lines({ id: 'd2', text: 'ü' })}\n{"id":"d3","text":"c"}`,
    );
    expect(body).toMatchObject({ inserted: 3 });
    expect((await get('d2')).text).toBe('ü');
    expect((await stream('')).body).toMatchObject({ inserted: 0, generation: body.generation });
  });

  test('of two documents with one id the later counts', async () => {
    await stream(lines({ id: 'd1', text: 'a' }, { id: 'd1', text: 'b' }));
    expect((await get('d1')).text).toBe('b');
    expect(await stored()).toBe(1);
  });

  const BAD: [string, string | Buffer, RegExp][] = [
    ['is no JSON', '{"id":', /^Line 3 is not JSON: /],
    ['is no document', '{"id":"d9"}', /^Line 3 must have a text/],
    ['is not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), /^Line 3 is not valid UTF-8\.$/],
    ['is too long', `"${'a'.repeat(70_000)}"`, /^Line 3 is 70002 bytes long; at most 65536/],
    [
      'has an attribute of another type',
      '{"id":"d9","text":"a","attributes":{"pay":"much"}}',
      /^Line 3 must hold a number/,
    ],
  ];
  describe.each(BAD)('a line that %s', (_, bad, message) => {
    const whole = (): Buffer => {
      const before = lines({ id: 'd1', text: 'a', attributes: { pay: 1 } }, { id: 'd2', text: 'b' });
      return Buffer.concat([
        Buffer.from(`${before}\n`),
        Buffer.from(bad),
        Buffer.from('\n{"id":"d3","text":"c"}\n'),
      ]);
    };

    test('leaves what came before', async () => {
      const { status, body } = await stream(whole());
      expect(status).toBe(422);
      expect(body.error).toMatchObject({ line: 3, stored: { inserted: 2 }, requestId: expect.any(String) });
      expect(body.error.message).toMatch(message);
      expect([await stored(), (await get('d2')).text]).toEqual([2, 'b']);
    });

    test('leaves nothing with atomic=true', async () => {
      await send({ id: 'x', text: 'x', attributes: { pay: 3 } });
      const { status, body } = await stream(whole(), '?atomic=true');
      const large = whole().length > BODY_LIMIT;
      expect(status).toBe(large ? 413 : 422);
      expect(body.error).toMatchObject({ ...(!large && { line: 3 }), stored: { inserted: 0 } });
      expect(await stored()).toBe(1);
    });
  });

  test('a body far above bodyLimit goes through, but not with atomic=true', async () => {
    const body = (): ReadableStream =>
      Readable.toWeb(
        Readable.from(
          (function* () {
            for (let i = 0; i < 300; i++) yield `${lines({ id: `d${i % 50}`, text: `${i} `.repeat(300) })}\n`;
          })(),
          { objectMode: false },
        ),
      ) as ReadableStream;
    const atomic = await stream(body(), '?atomic=true');
    expect([atomic.status, atomic.body.error.code]).toEqual([413, 'ERR_TOO_LARGE']);
    expect(await stored()).toBe(0);
    const { status, body: told } = await stream(body());
    expect([status, told.inserted, told.inserted + told.updated]).toEqual([200, 50, 300]);
    expect((await get('d49')).text).toMatch(/^299 /);
  });

  test('as JSON the same body is too large', async () => {
    const { status, body } = await send([{ id: 'd1', text: 'a'.repeat(70_000) }]);
    expect([status, body.error.code]).toEqual([413, 'ERR_TOO_LARGE']);
  });

  test('another media type is refused', async () => {
    const { status, body } = await ask(`${server.url}/documents`, undefined, {
      method: 'POST',
      body: 'id,text',
      headers: { 'content-type': 'text/csv' },
    });
    expect([status, body.error.code]).toEqual([415, 'ERR_MEDIA_TYPE']);
  });

  test('a client that pauses may take longer than a request, one that stops may not', async () => {
    const hasty = await startServer({ ranker: 'none', requestTimeoutMs: 2000 });
    const upload = (ends: boolean) =>
      new Promise<{ status: number; body: Json }>((resolve, reject) => {
        const sending = httpRequest(`${hasty.url}/documents`, {
          method: 'POST',
          headers: { 'content-type': 'application/x-ndjson' },
        });
        sending.on('error', reject).on('response', async (response) => {
          const chunks = await response.toArray();
          resolve({ status: response.statusCode!, body: JSON.parse(Buffer.concat(chunks).toString()) });
        });
        let sent = 0;
        const timer = setInterval(() => {
          if (sent < 6) sending.write(`${lines({ id: `d${sent++}`, text: 'a' })}\n`);
          else {
            clearInterval(timer);
            if (ends) sending.end();
          }
        }, 400);
      });
    const [paused, stopped] = await Promise.all([upload(true), upload(false)]);
    expect([paused.status, paused.body.inserted + paused.body.unchanged]).toEqual([200, 6]);
    expect([stopped.status, stopped.body.error.code]).toEqual([408, 'ERR_TIMEOUT']);
    await hasty.close();
  });
});
