import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { random } from '../../ts/core/random.ts';
import type { Metric } from '../../ts/core/types.ts';
import { exactScore, norm, weightedScore } from '../../ts/device/reference/score.ts';
import { featuredFacts, weightedBounds } from '../../ts/device/webgpuBounds.ts';
import { DRAWN, EFFORT, SEED } from '../helpers/effort.ts';

const exponent = fc.integer({ min: -148, max: 120 });

test(`the bound of rows with features holds for every float32 sum that WGSL allows (seed ${SEED})`, () => {
  const input = fc.record({
    metric: fc.constantFrom<Metric>('ip', 'cosine'),
    dim: fc.integer({ min: 1, max: 40 }),
    features: fc.integer({ min: 1, max: 9 }),
    exponents: fc.tuple(exponent, exponent, exponent, exponent, exponent),
    cancel: fc.boolean(),
    seed: fc.nat(),
  });
  let decided = 0;
  const property = fc.property(input, ({ metric, dim, features, exponents, cancel, seed }) => {
    const source = random(seed);
    const draw = (length: number, power: number) =>
      Float32Array.from({ length }, () => source.normal() * 2 ** power);
    const [query, row] = [draw(dim, exponents[0]), draw(dim, exponents[1])];
    const own = draw(features, exponents[2]);
    const weights = Float32Array.of(...draw(1, exponents[3]), ...draw(features, exponents[4]));
    if (cancel) for (let i = 0; i + 1 < features; i += 2) weights[2 + i] = -weights[1 + i]!;
    const { scale, bounds } = weightedBounds({ dim, metric, dtype: 'f32', features }, query, 0, weights);
    const facts = featuredFacts(metric, norm(row, 0, dim), 1, own);

    // Either rounding, any order, small numbers flushed.
    const flush = (x: number) => (Math.abs(x) < 2 ** -126 ? 0 : x);
    const rounded = (x: number) => {
      const near = Math.fround(x);
      if (near === x || source.next() < 0.5) return flush(near);
      const bits = new Int32Array(Float32Array.of(near).buffer);
      bits[0]! += Math.abs(near) < Math.abs(x) ? 1 : -1;
      return flush(new Float32Array(bits.buffer)[0]!);
    };
    const sum = (terms: readonly number[]) =>
      source.shuffle([...terms]).reduce((total, term) => rounded(total + term), 0);
    const products = Array.from(own, (x, i) => rounded(flush(bounds[5 + i]!) * flush(x)));
    const dot = sum(Array.from(row, (x, i) => rounded(flush(Math.fround(query[i]! * scale)) * flush(x))));
    const magnitudes = Array.from(own, (x, i) =>
      rounded(Math.max(flush(Math.abs(bounds[5 + i]!)), 2 ** -100) * flush(Math.abs(x))),
    );
    const share = sum(magnitudes);
    const length = Math.fround(facts.norm);
    if (length >= bounds[3]! || share >= bounds[4]!) return; // undecided: always a candidate
    decided++;
    const cost = -rounded(rounded(dot * flush(Math.fround(facts.factor))) + sum(products));
    const exact = exactScore(metric, query, 0, row, 0, dim);
    const canonical = weightedScore(exact, weights, 0, own, 0, features);
    expect(Number.isFinite(canonical)).toBe(true);
    const part = Math.abs(weights[0]!) * (metric === 'ip' ? norm(query, 0, dim) : 1);
    const longest = weights.subarray(1).reduce((most, weight) => Math.max(most, Math.abs(weight)), part);
    const truth = -canonical * 2 ** -Math.ceil(Math.log2(longest));
    expect(Math.abs(cost - truth)).toBeLessThanOrEqual(bounds[0]! * length + bounds[1]! * share + bounds[2]!);
  });
  fc.assert(property, { numRuns: 2000 * EFFORT, ...DRAWN });
  expect(decided).toBeGreaterThan(600);
});
