import { expect, test } from '@jest/globals';
import { fuse } from '../../../ts/online/retrieve/fuse.ts';

const ranking = (...docs: number[]) => ({
  docs: Uint32Array.from(docs),
  scores: new Float64Array(docs.length),
});

test('reciprocal ranks are summed, ties go to the lower document', () => {
  const fused = fuse([ranking(7, 3, 5), ranking(3, 9)]);
  expect([...fused.docs]).toEqual([3, 7, 9, 5]);
  expect(fused.scores[0]).toBeCloseTo(1 / 62 + 1 / 61, 12);
  expect([...fuse([ranking(4), ranking(2)]).docs]).toEqual([2, 4]);
});

test('no list gives no document', () => {
  expect(fuse([]).docs.length).toBe(0);
  expect(fuse([ranking(), ranking()]).docs.length).toBe(0);
});
