import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { random } from '../../../ts/core/random.ts';
import { bootstrap } from '../../../ts/offline/evaluate/bootstrap.ts';
import { compare } from '../../../ts/offline/evaluate/compare.ts';
import { type Evaluation, meanOf } from '../../../ts/offline/evaluate/evaluate.ts';
import { randomization } from '../../../ts/offline/evaluate/randomization.ts';

describe('bootstrap', () => {
  test('about mean ± 1.96 standard errors for many values', () => {
    const { normal } = random(7);
    const values = Float64Array.from({ length: 500 }, () => 3 + 2 * normal());
    const mean = meanOf(values);
    const deviation = Math.sqrt(meanOf(values.map((value) => (value - mean) ** 2)));
    const [interval] = bootstrap([values]);
    const half = (1.96 * deviation) / Math.sqrt(500);
    expect(Math.abs(interval!.low - (mean - half))).toBeLessThan(0.1 * half);
    expect(Math.abs(interval!.high - (mean + half))).toBeLessThan(0.1 * half);
  });

  test('holds the mean in it, lies within the values, and depends on the seed alone', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 }),
        (list) => {
          const values = Float64Array.from(list);
          const [first, twin] = bootstrap([values, values], 3);
          expect(twin).toEqual(first);
          expect(bootstrap([values], 3)).toEqual([first]);
          expect(first!.low).toBeGreaterThanOrEqual(Math.min(...list) - 1e-12);
          expect(first!.high).toBeLessThanOrEqual(Math.max(...list) + 1e-12);
          expect(first!.low).toBeLessThanOrEqual(meanOf(values) + 1e-12);
          expect(first!.high).toBeGreaterThanOrEqual(meanOf(values) - 1e-12);
        },
      ),
      { numRuns: 15 },
    );
  });
});

describe('randomisation', () => {
  test.each([
    [[], 1],
    [[0, 0, 0], 1],
    [[0.4], 1],
    [[1, 1, 1, 1, 1], 2 / 32],
    [[0, 1, 0, 1, 1, 0, 1, 1], 2 / 32],
    [[-1, -1, -1], 2 / 8],
    // Of the eight sums ±1 ±2 ±3, six are not nearer to 0 than 1 + 2 - 3 = 0: all of them.
    [[1, 2, -3], 1],
    // ±1 ±2 ±4: 7, 5, 3, 1 and their negatives; 5 is reached by four of eight.
    [[-1, 2, 4], 4 / 8],
    // 0.1 + 0.2 and 0.3 differ in float64 and are the same all the same.
    [[0.1, 0.2, 0.3, -0.3, -0.2, -0.1], 1],
  ])('%j: p = %d, counted', (differences, p) => {
    expect(randomization(Float64Array.from(differences))).toEqual({ p, exact: true });
  });

  test('drawn assignments come near to what all of them say', () => {
    const small = Float64Array.from({ length: 20 }, (_, i) => Math.sin(i * 1.7) + 0.25);
    const all = randomization(small);
    // Thirty differences that change nothing: p stays, but is drawn.
    const drawn = randomization(Float64Array.from([...small, ...new Float64Array(30).fill(1e-15)]), 1);
    expect([all.exact, drawn.exact]).toEqual([true, false]);
    expect(Math.abs(drawn.p - all.p)).toBeLessThan(0.02);
  });

  test('is small for a real difference and never 0; large without one', () => {
    const { normal } = random(11);
    const noise = Float64Array.from({ length: 200 }, () => normal());
    const p = randomization(noise.map((value) => value + 1)).p;
    expect(p).toBeCloseTo(1 / 10_001, 9);
    const centred = noise.map((value) => value - meanOf(noise));
    expect(randomization(centred).p).toBeGreaterThan(0.9);
  });

  test('does not depend on which of the two runs comes first', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { maxLength: 10 }), (list) => {
        const values = Float64Array.from(list);
        expect(randomization(values.map((value) => -value)).p).toBeCloseTo(randomization(values).p, 12);
      }),
    );
  });
});

function evaluationOf(values: Record<string, number>): Evaluation {
  const queries = new Map(Object.entries(values).map(([query, map]) => [query, { map }]));
  return { metrics: ['map'], queries, mean: {}, missing: [], unjudged: [] };
}

describe('compare', () => {
  test('pairs the queries that both have', () => {
    const run = evaluationOf({ a: 0.5, b: 0.75, c: 0.25, only: 1 });
    const against = evaluationOf({ c: 0.5, b: 0.5, a: 0.5, other: 0 });
    const { queries, differences } = compare(run, against);
    expect(queries).toEqual(['a', 'b', 'c']);
    expect(differences.map).toMatchObject({ mean: 0, p: 1, exact: true, better: 1, worse: 1, equal: 1 });
    // All three draws are the same query once in 27 times, which is more than 2.5 %.
    expect(differences.map!.interval.low).toBe(-0.25);
    expect(differences.map!.interval.high).toBe(0.25);
  });

  test('runs without a query in common are refused', () => {
    expect(() => compare(evaluationOf({ a: 1 }), evaluationOf({ b: 1 }))).toThrow(
      expect.objectContaining({ code: 'ERR_DATA' }),
    );
  });
});
