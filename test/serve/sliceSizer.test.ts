import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SliceSizer } from '../../ts/serve/sliceSizer.ts';
import { sliceEnd } from '../../ts/serve/slices.ts';

/** Works through slices that cost `fixed + units · slope` and returns what each of the last ones took. */
function run(fixed: number, slope: number, first: number, least = 1): number[] {
  const sizer = new SliceSizer(first);
  return Array.from({ length: 200 }, () => {
    const units = Math.max(least, sizer.units);
    const ms = fixed + units * slope;
    sizer.observe(units, ms);
    return ms;
  }).slice(-20);
}

describe('slices', () => {
  test('come to take 20 ms, whatever a unit costs and wherever they begin', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 8, noNaN: true }),
        fc.double({ min: -4, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 100_000 }),
        (fixed, magnitude, first) => {
          const slope = 10 ** magnitude;
          // When all slices are alike, a larger one is tried now and then.
          const taken = run(fixed, slope, first).sort((a, b) => a - b);
          expect(taken[10]).toBeGreaterThan(12);
          expect(taken[10]).toBeLessThan(28 + slope);
        },
      ),
    );
  });

  test('on a disk whose commits alone take longer, do not shrink to nothing', () => {
    const taken = run(40, 0.01, 1);
    expect(Math.min(...taken)).toBeGreaterThan(45);
    expect(Math.max(...taken)).toBeLessThan(70);
  });

  test('have one item at least, however much it costs', () => {
    expect(sliceEnd([500, 1], 0, 10)).toEqual({ end: 1, units: 500 });
    expect(sliceEnd([4, 4, 4], 1, 8)).toEqual({ end: 3, units: 8 });
    expect(sliceEnd([4, 4, 4], 0, 11)).toEqual({ end: 2, units: 8 });
  });
});
