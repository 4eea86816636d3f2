import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { CrossEncoder } from '../../../ts/models/crossEncoder.ts';
import { rank } from '../../../ts/online/rank/rank.ts';

/** A ranker whose logits are written in the texts: what is tested is the arithmetic behind it. */
function numberReader(blend: number | undefined, scored = Number.POSITIVE_INFINITY): CrossEncoder {
  return {
    name: 'number reader',
    hash: '0',
    maxTokens: 1,
    blend,
    score: async (_, documents) => ({
      scores: Float32Array.from(documents, (text, i) => (i < scored ? Number(text) : 0)),
      scored: Math.min(scored, documents.length),
      truncated: new Uint8Array(documents.length),
      queryTruncated: false,
    }),
    read: () => Promise.reject(new Error('nothing is read here')),
    heads: () => Promise.reject(new Error('nothing is cut here')),
    failed: new Promise(() => {}),
    close: async () => {},
  };
}

const candidates = (pairs: [logit: number, retrieval: number][]) =>
  pairs.map(([logit, retrieval]) => ({ text: String(logit), retrieval }));

test('without a weight the ranker decides alone', async () => {
  const list = candidates([
    [1, 9],
    [3, 5],
    [2, 1],
  ]);
  const { order, logits, ranked } = await rank({ query: 'q' }, list, numberReader(undefined), {});
  expect(order).toEqual([1, 2, 0]);
  expect(logits).toEqual([1, 3, 2]);
  expect(ranked).toBe(3);
});

test('the weight blends z-scores, by hand', async () => {
  // z of the logits (0, 2): -1, 1; z of the retrieval scores (3, 1): 1, -1
  const list = candidates([
    [0, 3],
    [2, 1],
  ]);
  const { order, blended } = await rank({ query: 'q' }, list, numberReader(0.75), {});
  expect(blended[0]).toBeCloseTo(0.75 * -1 + 0.25 * 1, 12);
  expect(blended[1]).toBeCloseTo(0.75 * 1 + 0.25 * -1, 12);
  expect(order).toEqual([1, 0]);
});

test('equal logits leave the order of retrieval', async () => {
  const list = candidates([
    [5, 0.3],
    [5, 0.2],
    [5, 0.2],
  ]);
  expect((await rank({ query: 'q' }, list, numberReader(1), {})).order).toEqual([0, 1, 2]);
});

test('what the deadline left unread follows in its order', async () => {
  const list = candidates([
    [1, 4],
    [2, 3],
    [9, 2],
    [8, 1],
  ]);
  const { order, logits, blended, ranked } = await rank({ query: 'q' }, list, numberReader(1, 2), {});
  expect(order).toEqual([1, 0, 2, 3]);
  expect(logits.slice(2)).toEqual([undefined, undefined]);
  expect(blended.slice(2)).toEqual([undefined, undefined]);
  expect(ranked).toBe(2);
});

test('the order is a permutation by falling score, whatever the weight', async () => {
  const pair = fc.tuple(
    fc.float({ noNaN: true, min: -50, max: 50 }),
    fc.double({ noNaN: true, min: 0, max: 1 }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(pair, { maxLength: 40 }),
      fc.double({ noNaN: true, min: 0, max: 1 }),
      async (pairs, blend) => {
        const { order, blended } = await rank({ query: 'q' }, candidates(pairs), numberReader(blend), {});
        expect([...order].sort((a, b) => a - b)).toEqual(pairs.map((_, i) => i));
        for (let i = 1; i < order.length; i++) {
          expect(blended[order[i - 1]!]).toBeGreaterThanOrEqual(blended[order[i]!]!);
        }
      },
    ),
  );
});
