import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Random, random } from '../../../ts/core/random.ts';
import { cholesky, inverse, solveInPlace } from '../../../ts/offline/prune/cholesky.ts';
import { eliminate } from '../../../ts/offline/prune/eliminate.ts';
import { product, refit, relativeError, rowsOf } from '../../../ts/offline/prune/leastSquares.ts';

const normal = (chance: Random, count: number): Float64Array =>
  Float64Array.from({ length: count }, () => chance.normal());

/** `XᵀX` of `X [tokens, n]`, with a little added to the diagonal. */
function gramOf(x: Float64Array, n: number, damping = 1e-6): Float64Array {
  const gram = new Float64Array(n * n);
  for (let row = 0; row < x.length / n; row++) {
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) gram[i * n + j]! += x[row * n + i]! * x[row * n + j]!;
  }
  for (let i = 0; i < n; i++) gram[i * n + i]! += damping;
  return gram;
}

const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);

/** Sizes and a seed. */
const cases = fc.record({
  n: fc.integer({ min: 1, max: 12 }),
  d: fc.integer({ min: 1, max: 5 }),
  seed: fc.nat(),
});

const singles = (n: number): number[][] => Array.from({ length: n }, (_, i) => [i]);

/** The least cost of keeping these rows. */
function costOf(gram: Float64Array, weights: Float64Array, kept: number[], n: number, d: number): number {
  const target = product(gram, weights, n, d);
  return relativeError(gram, target, weights, refit(gram, target, kept, n, d), kept, n);
}

describe('least squares', () => {
  test('factor, solution and inverse are those of the matrix', () => {
    fc.assert(
      fc.property(cases, ({ n, d, seed }) => {
        const chance = random(seed);
        const gram = gramOf(normal(chance, 3 * n * n), n, 0.1);
        const b = normal(chance, n * d);
        const solution = b.slice();
        solveInPlace(cholesky(gram, n), n, solution, d);
        expect(worst(product(gram, solution, n, d), b)).toBeLessThan(1e-8);
        const identity = singles(n).flatMap(([i]) => singles(n).map(([j]) => Number(i === j)));
        expect(worst(product(gram, inverse(gram, n), n, n), identity)).toBeLessThan(1e-8);
      }),
    );
  });

  test('a matrix that is not positive definite is refused', () => {
    expect(() => cholesky(Float64Array.of(1, 2, 2, 1), 2)).toThrow(
      expect.objectContaining({ code: 'ERR_DATA' }),
    );
  });

  test('fitted weights solve the normal equations of the kept rows', () => {
    fc.assert(
      fc.property(cases, ({ n, d, seed }) => {
        const chance = random(seed);
        const gram = gramOf(normal(chance, 3 * n * n), n, 0.1);
        const weights = normal(chance, n * d);
        const kept = singles(n)
          .flat()
          .filter((i) => i === 0 || chance.next() < 0.5);
        const target = product(gram, weights, n, d);
        const whole = new Float64Array(n * d);
        const fitted = refit(gram, target, kept, n, d);
        kept.forEach((row, i) => {
          whole.set(fitted.subarray(i * d, (i + 1) * d), row * d);
        });
        const missed = worst(rowsOf(product(gram, whole, n, d), kept, d), rowsOf(target, kept, d));
        expect(missed).toBeLessThan(1e-8 * (1 + worst(target, new Float64Array(n * d))));
      }),
    );
  });
});

describe('elimination', () => {
  test('leaves out first what costs least, as trying all shows, by rows and by groups', () => {
    fc.assert(
      fc.property(cases, fc.integer({ min: 1, max: 3 }), ({ n: groups, d, seed }, size) => {
        const n = groups * size;
        const chance = random(seed);
        const gram = gramOf(normal(chance, 3 * n * n), n, 0.1);
        const weights = normal(chance, n * d);
        const all = Array.from({ length: groups }, (_, g) =>
          Array.from({ length: size }, (_, i) => g * size + i),
        );
        let left = all;
        while (left.length > 1) {
          const costs = left.map((gone) =>
            costOf(gram, weights, left.filter((group) => group !== gone).flat(), n, d),
          );
          const kept = eliminate(gram, weights, all, left.length - 1).map((group) => all[group]!);
          const cost = costOf(gram, weights, kept.flat(), n, d);
          expect(cost).toBeLessThanOrEqual(Math.min(...costs) * (1 + 1e-6) + 1e-12);
          left = kept;
        }
      }),
      { numRuns: 30 },
    );
  });

  test('rows that never fire and copies of others go first, and nothing is lost', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 12 }), fc.nat(), (n, seed) => {
        const [chance, d, tokens] = [random(seed), 3, 4 * n];
        const x = normal(chance, tokens * n);
        for (let row = 0; row < tokens; row++) {
          x[row * n] = 0;
          x[row * n + 1] = x[row * n + 2]!;
        }
        const gram = gramOf(x, n, 1e-9);
        const weights = normal(chance, n * d);
        const kept = eliminate(gram, weights, singles(n), n - 2);
        expect(kept).not.toContain(0);
        expect(kept.includes(1)).not.toBe(kept.includes(2));
        expect(costOf(gram, weights, kept, n, d)).toBeLessThan(1e-8);
      }),
    );
  });

  test('keeping all keeps the weights', () => {
    const chance = random(5);
    const gram = gramOf(normal(chance, 200), 10);
    const weights = normal(chance, 40);
    expect(eliminate(gram, weights, singles(10), 10)).toEqual(singles(10).flat());
    const fitted = refit(gram, product(gram, weights, 10, 4), singles(10).flat(), 10, 4);
    expect(worst(fitted, weights)).toBeLessThan(1e-8);
  });
});
