import { describe, expect, test } from '@jest/globals';
import { Store } from '../../ts/store/store.ts';
import { DIM, encoded, freshPath, MODEL, openWithModel } from './setup.ts';

const everyType = {
  city: 'Zürich',
  salary: -1.5e-300,
  remote: false,
  when: new Date(-8.64e15),
  nanos: 2n ** 63n - 1n,
  earliest: -(2n ** 63n) + 1n,
  tags: ['b', 'a', ''],
  place: { lat: -90, lon: 180 },
  nothing: null,
  ['__proto__']: 'a name like any other',
};

describe('documents', () => {
  test('go in and come out as they were, of every type, also after reopening', async () => {
    const path = freshPath();
    const text = 'NUL \0 inside, emoji 🐟, half a pair \ud800, "quotes"; DROP TABLE documents;';
    let store = await openWithModel(path);
    const attributes = Object.fromEntries(Object.entries(everyType));
    const result = await store.upsert([{ ...encoded('a', text), title: 'T\0', attributes }]);
    expect(result).toMatchObject({ inserted: 1, updated: 0, unchanged: 0 });
    await store.close();
    store = await Store.open(path);
    const document = await store.get('a');
    expect(document?.text).toBe(text.replace('\ud800', '\ufffd'));
    expect(document?.title).toBe('T\0');
    expect(document?.attributes).toEqual(attributes);
    expect(Object.hasOwn(document!.attributes, '__proto__')).toBe(true);
    expect(await store.get('b')).toBeUndefined();
    expect((await store.info()).attributes).toMatchObject({
      city: 'keyword',
      salary: 'number',
      remote: 'boolean',
      when: 'timestamp',
      nanos: 'timestamp',
      tags: 'set',
      place: 'geo',
    });
    expect((await store.info()).attributes).not.toHaveProperty('nothing');
    await store.close();
  });

  test('are replaced under a new key; the old version stays until it is purged', async () => {
    const store = await openWithModel(freshPath());
    await store.upsert([encoded('a', 'one', 1, 2), encoded('b', 'two')]);
    const old = (await store.get('a'))!;
    const { generation, ...counts } = await store.upsert([encoded('a', 'three'), encoded('b', 'two')]);
    expect(counts).toEqual({ inserted: 0, updated: 1, unchanged: 1 });
    const current = (await store.get('a'))!;
    expect(current.doc).toBeGreaterThan(old.doc);
    const [was, is, never] = await store.documents([old.doc, current.doc, 999]);
    expect(was).toMatchObject({ id: 'a', text: 'one', live: false });
    expect(is).toMatchObject({ id: 'a', text: 'three', live: true });
    expect(never).toBeUndefined();
    expect(await store.info()).toMatchObject({ documents: 2, rows: 2, generation });
    expect(await store.purge(generation - 1)).toBe(0);
    expect(await store.purge(generation)).toBe(1);
    expect(await store.documents([old.doc])).toEqual([undefined]);
    await store.close();
  });

  test('of several with one id in a call, the last counts', async () => {
    const store = await openWithModel(freshPath());
    await store.upsert([encoded('a', 'first'), encoded('a', 'second')]);
    expect((await store.get('a'))?.text).toBe('second');
    expect((await store.info()).documents).toBe(1);
    await store.close();
  });

  test('are deleted; unknown ids are ignored', async () => {
    const store = await openWithModel(freshPath());
    const { generation } = await store.upsert([encoded('a', 'one'), encoded('b', 'two')]);
    expect(await store.delete(['a', 'a', 'nobody'])).toEqual({ generation: generation + 1, deleted: 1 });
    expect(await store.delete(['a'])).toEqual({ generation: generation + 1, deleted: 0 });
    expect(await store.get('a')).toBeUndefined();
    expect(await store.info()).toMatchObject({ documents: 1, rows: 1 });
    await store.upsert([encoded('a', 'again')]);
    expect((await store.get('a'))?.text).toBe('again');
    await store.close();
  });

  test('are iterated by rising key in pages, with writes in between', async () => {
    const store = await openWithModel(freshPath());
    const count = 1203;
    await store.upsert(Array.from({ length: count }, (_, i) => encoded(`d${i}`, `text ${i}`)));
    const seen: number[] = [];
    for await (const { doc } of store.iterate()) {
      if (seen.length === 10) await store.delete(['d1100']);
      seen.push(doc);
    }
    expect(seen).toHaveLength(count - 1);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    await store.close();
  });

  test('pages end early where texts are long', async () => {
    const store = await Store.open(freshPath());
    const long = 'x'.repeat(3 << 20);
    for (const id of ['a', 'b', 'c', 'd']) await store.upsert([{ id, text: long + id, passages: [] }]);
    const ids: string[] = [];
    for await (const { id } of store.iterate()) ids.push(id);
    expect(ids).toEqual(['a', 'b', 'c', 'd']);
    await store.upsert([{ id: 'e', text: 'a write after it', passages: [] }]);
    await store.close();
  });

  test('unchanged compares content, not the order of attributes', async () => {
    const store = await openWithModel(freshPath());
    await store.upsert([{ ...encoded('a', 'one'), attributes: { x: 1, y: ['p', 'p'] } }]);
    const same = { id: 'a', text: 'one', attributes: { y: ['p'], x: 1 } };
    expect(
      await store.unchanged([
        same,
        { ...same, text: 'two' },
        { ...same, id: 'b' },
        { ...same, title: 't' },
        { ...same, attributes: { x: 2 } },
      ]),
    ).toEqual([true, false, false, false, false]);
    await store.close();
  });

  test('with other vectors for the same content are updates', async () => {
    const store = await openWithModel(freshPath());
    await store.upsert([encoded('a', 'one', 1)]);
    expect(await store.upsert([encoded('a', 'one', 2)])).toMatchObject({ updated: 1 });
    expect(await store.upsert([encoded('a', 'one', 2)])).toMatchObject({ unchanged: 1 });
    await store.close();
  });
});

describe('bad input', () => {
  test.each([
    ['an id that is empty', { ...encoded('', 'x') }, 'ERR_DATA'],
    ['an id with NUL', { ...encoded('a\0b', 'x') }, 'ERR_DATA'],
    ['an id of half a pair', { ...encoded('a\udc00', 'x') }, 'ERR_DATA'],
    ['text that is no string', { ...encoded('a', 'x'), text: 3 as unknown as string }, 'ERR_DATA'],
    ['a number that is NaN', { ...encoded('a', 'x'), attributes: { n: Number.NaN } }, 'ERR_DATA'],
    ['an invalid date', { ...encoded('a', 'x'), attributes: { d: new Date('?') } }, 'ERR_DATA'],
    ['a bigint beyond int64', { ...encoded('a', 'x'), attributes: { t: 2n ** 63n } }, 'ERR_DATA'],
    [
      'the bigint that columns keep for missing values',
      { ...encoded('a', 'x'), attributes: { t: -(2n ** 63n) } },
      'ERR_DATA',
    ],
    ['a point off the globe', { ...encoded('a', 'x'), attributes: { p: { lat: 91, lon: 0 } } }, 'ERR_DATA'],
    ['a set of numbers', { ...encoded('a', 'x'), attributes: { s: [1] as unknown as string[] } }, 'ERR_DATA'],
    ['no passage', { ...encoded('a', 'x'), passages: [] }, 'ERR_ARGUMENT'],
    ['a passage past the text', { ...encoded('a', 'x'), passages: [passage(0, 2)] }, 'ERR_ARGUMENT'],
    [
      'a passage that ends before it starts',
      { ...encoded('a', 'x'), passages: [passage(1, 0)] },
      'ERR_ARGUMENT',
    ],
    ['a wrong dimension', { ...encoded('a', 'x'), passages: [passage(0, 1, [1, 2])] }, 'ERR_DIMENSION'],
    ['an empty vector', { ...encoded('a', 'x'), passages: [passage(0, 1, [])] }, 'ERR_DIMENSION'],
    ['NaN', { ...encoded('a', 'x'), passages: [passage(0, 1, [1, Number.NaN, 0, 0])] }, 'ERR_NOT_FINITE'],
    ['infinity', { ...encoded('a', 'x'), passages: [passage(0, 1, [1, 0, 0, -1 / 0])] }, 'ERR_NOT_FINITE'],
  ])('%s is refused, and nothing of the call is kept', async (_, document, code) => {
    const store = await openWithModel(freshPath());
    await expect(store.upsert([encoded('good', 'fine'), document])).rejects.toMatchObject({ code });
    expect(await store.info()).toMatchObject({ documents: 0, rows: 0, attributes: {} });
    await store.close();
  });

  test('an attribute keeps the type of its first value', async () => {
    const store = await openWithModel(freshPath());
    await store.upsert([
      { ...encoded('a', 'x'), attributes: { n: null } },
      { ...encoded('b', 'y'), attributes: { n: 1 } },
    ]);
    const other = { ...encoded('c', 'z'), attributes: { fresh: true, n: 'one' } };
    await expect(store.upsert([other])).rejects.toMatchObject({
      code: 'ERR_ATTRIBUTE_TYPE',
      message: expect.stringMatching(/"c".*"n".*keyword.*number/),
    });
    expect((await store.info()).attributes).toEqual({ n: 'number' });
    await store.upsert([{ ...encoded('c', 'z'), attributes: { fresh: 'a keyword', n: 1.5 } }]);
    expect((await store.info()).attributes).toEqual({ n: 'number', fresh: 'keyword' });
    await store.close();
  });

  test('vectors need a model', async () => {
    const store = await Store.open(freshPath());
    await expect(store.upsert([encoded('a', 'x')])).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    await store.close();
  });

  test('views with an offset are honoured, and buffers may be reused or detached at once', async () => {
    const store = await openWithModel(freshPath());
    const whole = Float32Array.from({ length: 3 * DIM }, (_, i) => i);
    const vector = whole.subarray(DIM, 2 * DIM);
    const write = store.upsert([{ id: 'a', text: 'x', passages: [{ start: 0, end: 1, vector }] }]);
    structuredClone(whole.buffer, { transfer: [whole.buffer] });
    await write;
    for await (const change of store.changes(0)) {
      if (change.kind === 'rows') expect([...change.vectors]).toEqual([4, 5, 6, 7]);
    }
    await store.close();
  });
});

describe('writes that wait together', () => {
  test('are committed together, and one that fails does not harm the others', async () => {
    const store = await openWithModel(freshPath());
    const before = await store.generation();
    // The first write keeps the store busy, so that the others wait.
    const busy = Array.from({ length: 300 }, (_, i) => encoded(`busy ${i}`, 'word '.repeat(200)));
    const results = await Promise.allSettled([
      store.upsert([encoded('a', 'one'), ...busy]),
      store.upsert([{ ...encoded('b', 'two'), attributes: { n: 1 } }]),
      store.upsert([encoded('c', 'half'), { ...encoded('d', 'three'), attributes: { n: 'x', fresh: 1 } }]),
      store.delete(['a']),
      store.upsert([{ ...encoded('e', 'four'), attributes: { fresh: 'keyword' } }]),
    ]);
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect(await store.info()).toMatchObject({
      documents: 302,
      attributes: { n: 'number', fresh: 'keyword' },
    });
    // One commit for the first, and one for all others, unless they came before it had begun.
    expect((await store.generation()) - before).toBeLessThanOrEqual(2);
    await store.close();
  });

  test('a write that changes nothing makes no generation', async () => {
    const store = await openWithModel(freshPath());
    const { generation } = await store.upsert([encoded('a', 'one')]);
    expect((await store.upsert([encoded('a', 'one')])).generation).toBe(generation);
    await store.setModel(MODEL);
    expect(await store.generation()).toBe(generation);
    await store.close();
  });
});

describe('closing', () => {
  test('finishes what was asked before and refuses what comes after; twice is harmless', async () => {
    const path = freshPath();
    const store = await openWithModel(path);
    const write = store.upsert([encoded('a', 'one')]);
    const closed = store.close();
    await expect(store.get('a')).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    expect(await write).toMatchObject({ inserted: 1 });
    await closed;
    await store.close();
    await using again = await Store.open(path);
    expect((await again.get('a'))?.text).toBe('one');
  });

  test('a long read under way ends with ERR_CLOSED', async () => {
    const store = await openWithModel(freshPath());
    await store.upsert(Array.from({ length: 600 }, (_, i) => encoded(`d${i}`, 'x')));
    const read = store.iterate();
    await read.next();
    await store.close();
    const rest = async (): Promise<void> => {
      for await (const { id } of read) expect(id).toMatch(/^d/);
    };
    await expect(rest()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });
});

function passage(start: number, end: number, vector: number[] = [1, 2, 3, 4]) {
  return { start, end, vector: Float32Array.from(vector) };
}
