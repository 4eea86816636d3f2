import { describe, expect, test } from '@jest/globals';
import { type Random, random } from '../../ts/core/random.ts';
import type { Metric } from '../../ts/core/types.ts';
import { BATCH, draw, mutate } from '../helpers/climb.ts';
import { addon, isas, judge, strain } from '../helpers/codeStrain.ts';
import { METRICS } from '../helpers/searchCases.ts';

/** Features beside numbers of the same order, or that leave them nothing; sums that cancel; ends of the range. */
const FEATURES: Record<string, (source: Random) => number> = {
  normal: (source) => source.normal(),
  'few values': (source) => source.below(3) - 1,
  'times of day': (source) => 1.7e9 + source.below(1e6),
  large: (source) => source.normal() * 1e12,
  'near overflow': (source) => source.normal() * 1e37,
  denormal: (source) => source.normal() * 1e-40,
  'all magnitudes': (source) => source.normal() * 2 ** (source.below(120) - 60),
};

/** Climbs to the largest strain: changes rows, features, query and weights, keeps what is worse for the bound. */
function attack(isa: string, metric: Metric, kind: string, steps: number, seed: number): number {
  const source = random(seed);
  const [dim, width] = [1 + source.below(20), 1 + source.below(6)];
  const feature = () => FEATURES[kind]!(source);
  const start = () => draw(dim, dim, source.below(2) === 0 ? 'normal' : 'largest codes', source);
  let worst = 0;
  let pair = {
    query: start(),
    rows: start(),
    features: Float32Array.from({ length: width }, feature),
    weights: Float32Array.from({ length: 1 + width }, () => source.normal()),
  };
  for (let step = 0; step < steps; step++) {
    const [query, weights] = [pair.query.slice(), pair.weights.slice()];
    if (step % 3 === 1) mutate(query, source);
    if (step % 3 === 2) mutate(weights, source);
    const rows = new Float32Array(BATCH * dim);
    const features = new Float32Array(BATCH * width);
    for (let i = 0; i < BATCH; i++) {
      const [row, beside] = [pair.rows.slice(), pair.features.slice()];
      if (source.below(2) === 0) mutate(row, source);
      if (source.below(2) === 0) mutate(beside, source);
      if (source.below(4) === 0) beside[source.below(width)] = feature();
      rows.set(row, i * dim);
      features.set(beside, i * width);
    }
    const strains = strain(judge(isa, metric, { query, rows, features, weights }));
    const most = Math.max(...strains);
    if (most > 1) return most;
    if (most < worst) continue;
    worst = most;
    const best = strains.indexOf(most);
    pair = {
      query,
      weights,
      rows: rows.slice(best * dim, (best + 1) * dim),
      features: features.slice(best * width, (best + 1) * width),
    };
  }
  return worst;
}

(isas.length === 0 ? describe.skip : describe)('codes of rows with features', () => {
  describe.each(isas)('%s', (isa) => {
    test.each(Object.keys(FEATURES))('no search for a violation finds one: %s', (kind) => {
      for (const metric of ['ip', 'cosine'] as const) {
        for (let seed = 0; seed < 12; seed++) {
          const worst = attack(isa, metric, kind, 30, seed);
          expect([metric, seed, worst]).toEqual([metric, seed, Math.min(worst, 1)]);
        }
      }
    });
  });

  test('the attack would find a bound that is a tenth too small', () => {
    const worst = Array.from({ length: 8 }, (_, seed) => attack(isas[0]!, 'ip', 'few values', 300, seed));
    expect(Math.max(...worst)).toBeGreaterThan(0.9);
  });

  test('the scan reads few rows in full precision', async () => {
    const [n, dim, width, q, k] = [4000, 64, 3, 9, 10];
    const source = random(13);
    const [data, queries] = [draw(n * dim, dim, 'normal', source), draw(q * dim, dim, 'normal', source)];
    const features = draw(n * width, 1, 'normal', source);
    const weights = draw(q * (1 + width), 1, 'normal', source);
    const rows = addon.createRows(addon.openCpu('', 2, true), dim, METRICS.indexOf('ip'), 0, width);
    await addon.append(rows, data, new Float32Array(), features);
    const [ids, scores] = [new Uint32Array(q * k), new Float32Array(q * k)];
    await addon.search(rows, queries, q, k, n, undefined, n, ids, scores, undefined, weights)[1];
    const { queries: asked, open, scored } = addon.scanTotals(rows);
    expect([asked, open]).toEqual([q, 0]);
    expect(scored).toBeLessThan((q * n) / 20);
  });

  test('a weight of 0, and one that takes the query out of the range, leave it to the rows', async () => {
    const [n, dim, k] = [1000, 8, 5];
    const source = random(14);
    const data = draw(n * dim, dim, 'normal', source);
    const rows = addon.createRows(addon.openCpu('', 2, true), dim, METRICS.indexOf('ip'), 0, 1);
    await addon.append(rows, data, new Float32Array(), draw(n, 1, 'normal', source));
    const weights = Float32Array.of(0, 1, 1e-38, 1, 1e30, 1, -1, 1);
    const [ids, scores] = [new Uint32Array(4 * k), new Float32Array(4 * k)];
    const queries = draw(4 * dim, dim, 'normal', source);
    await addon.search(rows, queries, 4, k, n, undefined, n, ids, scores, undefined, weights)[1];
    expect(addon.scanTotals(rows)).toMatchObject({ queries: 4, open: 3 });
  });
});
