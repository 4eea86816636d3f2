import { expect, test } from '@jest/globals';
import type { Tensor } from '../../ts/models/session.ts';
import { dropoutFeeds } from '../../ts/train/dropoutFeeds.ts';

const inputs = ['ids', 'dropout.0', 'dropout.1'].map((name) => ({
  name,
  type: 'bool',
  dims: [200, 'length'],
}));
const ids: Tensor = { type: 'int64', dims: [200, 250], data: new BigInt64Array(200 * 250) };
const masks = (seed: number, batch: number, rate = 0.1) => {
  const feeds = dropoutFeeds(inputs, { ids }, { rate, seed }, batch);
  expect(Object.keys(feeds)).toEqual(['dropout.0', 'dropout.1']);
  return Object.values(feeds).map(({ data }) => data as Uint8Array);
};
const shareOf = (values: Uint8Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

test('what dropout keeps has the rate, and depends on seed, batch and place alone', () => {
  for (const rate of [0, 0.1, 0.5]) {
    for (const mask of masks(1, 7, rate)) expect(shareOf(mask)).toBeCloseTo(1 - rate, 2);
  }
  const [first, second] = masks(1, 7) as [Uint8Array, Uint8Array];
  expect(Buffer.from(masks(1, 7)[0]!).equals(first)).toBe(true);
  // Two masks that have nothing to do with each other agree in 0.9² + 0.1² of their places.
  const agreement = (other: Uint8Array): number =>
    shareOf(first.map((value, i) => Number(value === other[i])));
  for (const other of [second, masks(2, 7)[0]!, masks(1, 8)[0]!])
    expect(agreement(other)).toBeCloseTo(0.82, 2);
  const shifted = first.map((_, i) => first[(i + 1) % first.length]!);
  expect(agreement(shifted)).toBeCloseTo(0.82, 2);
});
