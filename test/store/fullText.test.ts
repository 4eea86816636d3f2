import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Store } from '../../ts/store/store.ts';
import { freshPath } from './setup.ts';

const texts = (store: Store, documents: Record<string, string>) =>
  store.upsert(Object.entries(documents).map(([id, text]) => ({ id, text, passages: [] })));

/** Okapi BM25 as FTS5 defines it (k1 1.2, b 0.75), over lower-case words. */
function plainBm25(documents: string[], query: string[]): number[] {
  const words = documents.map((text) => text.toLowerCase().split(/\s+/).filter(Boolean));
  const average = words.reduce((sum, list) => sum + list.length, 0) / words.length;
  return words.map((list) =>
    [...new Set(query)].reduce((score, term) => {
      const count = words.filter((other) => other.includes(term)).length;
      const idf = Math.max(1e-6, Math.log((words.length - count + 0.5) / (count + 0.5)));
      const frequency = list.filter((word) => word === term).length;
      const norm = 1.2 * (1 - 0.75 + (0.75 * list.length) / average);
      return score + (idf * frequency * 2.2) / (frequency + norm);
    }, 0),
  );
}

describe('bm25', () => {
  test('equals the formula, also after updates and deletes', async () => {
    const store = await Store.open(freshPath());
    const noise = Object.fromEntries(
      Array.from({ length: 50 }, (_, i) => [`n${i}`, 'cat noise '.repeat(i + 1)]),
    );
    await texts(store, noise);
    const kept = ['the cat sat', 'a dog ran far over hills', 'cat cat dog', 'red fox', 'blue bird sings'];
    await texts(store, Object.fromEntries(kept.map((_, i) => [`k${i}`, `old words ${i}`])));
    await texts(store, Object.fromEntries(kept.map((text, i) => [`k${i}`, text])));
    await store.delete(Object.keys(noise));
    const hits = await store.bm25('Cat, fox?', { limit: 10 });
    const expected = plainBm25(kept, ['cat', 'fox']);
    const found = await store.documents(hits.docs);
    expect(found.map((document) => document?.text)).toEqual(['red fox', 'cat cat dog', 'the cat sat']);
    for (const [i, document] of found.entries()) {
      expect(hits.scores[i]).toBeCloseTo(expected[kept.indexOf(document!.text)]!, 12);
    }
    await store.close();
  });

  test('gives equal scores by rising key, and takes the mask before the limit', async () => {
    const store = await Store.open(freshPath());
    await texts(store, Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`d${i}`, 'same words'])));
    const all = await store.bm25('words', { limit: 5 });
    expect([...all.docs]).toEqual([1, 2, 3, 4, 5]);
    expect(new Set(all.scores).size).toBe(1);
    const mask = new Uint32Array(3);
    for (const doc of [7, 33, 95]) mask[doc >> 5]! |= 1 << (doc & 31);
    expect([...(await store.bm25('words', { limit: 5, mask })).docs]).toEqual([7, 33, 95]);
    expect([...(await store.bm25('words', { limit: 2, mask })).docs]).toEqual([7, 33]);
    expect((await store.bm25('words', { limit: 2, mask: new Uint32Array(0) })).docs).toHaveLength(0);
    await store.close();
  });

  test('finds words with and without accents, in title and text', async () => {
    const store = await Store.open(freshPath());
    await store.upsert([{ id: 'a', title: 'Crème BRÛLÉE', text: 'naïve\0ﬁsh 東京 x1', passages: [] }]);
    for (const query of ['creme', 'brûlée', 'NAIVE', 'na\u0131ve naïve', '東京', 'X1']) {
      expect((await store.bm25(query, { limit: 1 })).docs).toHaveLength(1);
    }
    await store.close();
  });

  test.each([
    '',
    '   ',
    '"',
    '"" * ^ ( ) : + - { }',
    'NOT',
    'alpha AND',
    'NEAR(alpha beta, 2)',
    'title : alpha',
    '"alpha',
    "alpha'; DROP TABLE words; --",
    'alpha\0beta',
    '-alpha',
    '^alpha*',
    '\ud800',
    '🐟',
    '\u0301',
  ])('takes nothing in %j for syntax', async (query) => {
    const store = await Store.open(freshPath());
    await texts(store, { a: 'alpha beta', b: 'gamma' });
    const { docs } = await store.bm25(query, { limit: 10 });
    expect([...docs]).toEqual(query.includes('alpha') ? [1] : []);
    await store.close();
  });

  test('takes any string', async () => {
    const store = await Store.open(freshPath());
    await texts(store, { a: 'alpha beta' });
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), async (query) => {
        await store.bm25(query, { limit: 3 });
        expect([...(await store.bm25(`${query} alpha`, { limit: 3 })).docs]).toEqual([1]);
      }),
      { numRuns: 200 },
    );
    await store.close();
  });

  test('takes a query of ten megabytes', async () => {
    const store = await Store.open(freshPath());
    await texts(store, { a: 'alpha beta', b: 'w999', c: 'w1001' });
    const many = Array.from({ length: 1_400_000 }, (_, i) => `w${i}`).join(' ');
    expect(many.length).toBeGreaterThan(10e6);
    expect([...(await store.bm25(many, { limit: 3 })).docs]).toEqual([2]);
    expect((await store.bm25('y'.repeat(10e6), { limit: 3 })).docs).toHaveLength(0);
    await store.close();
  });

  test('refuses a limit that is not a positive integer', async () => {
    const store = await Store.open(freshPath());
    for (const limit of [0, -1, 1.5, Number.NaN]) {
      await expect(store.bm25('x', { limit })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    }
    await store.close();
  });

  test('an aborted search rejects with the reason of its signal', async () => {
    const store = await Store.open(freshPath());
    const reason = new Error('enough');
    await expect(store.bm25('x', { limit: 1, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const search = store.bm25('x', { limit: 1, signal: controller.signal });
    controller.abort(reason);
    await expect(search).rejects.toBe(reason);
    expect((await store.bm25('x', { limit: 1 })).docs).toHaveLength(0);
    await store.close();
  });
});
