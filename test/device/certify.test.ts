import { describe, expect, test } from '@jest/globals';
import { random } from '../../ts/core/random.ts';
import type { Metric } from '../../ts/core/types.ts';
import { certify } from '../../ts/device/reference/certify.ts';
import { norm } from '../../ts/device/reference/score.ts';
import { BATCH, climb, draw, STARTS } from '../helpers/climb.ts';
import { addon, isas, judge, strain } from '../helpers/codeStrain.ts';
import { METRICS } from '../helpers/searchCases.ts';

/** Levels that add products up in 16 bits, for which queries get coarser codes where these could overflow. */
const NARROW = ['avx512', 'avx2'];

/** The largest strain that a climb comes to. */
const attack = (isa: string, metric: Metric, dim: number, kind: string, steps: number, seed: number) =>
  climb(dim, kind, steps, seed, (query, rows) => strain(judge(isa, metric, { query, rows })));

(isas.length === 0 ? describe.skip : describe)('codes', () => {
  test.each(METRICS)('%s: every instruction set gives the bounds of the reference', (metric) => {
    const source = random(7);
    for (const dim of [1, 3, 16, 63, 64, 65, 384, 1000]) {
      for (const kind of [
        'normal',
        'between codes',
        'largest codes',
        'codes of one sign',
        'one huge number',
        'zeros',
        'large',
      ]) {
        const pair = { query: draw(dim, dim, kind, source), rows: draw(BATCH * dim, dim, kind, source) };
        for (const narrow of [false, true]) {
          const alike = isas.filter((isa) => NARROW.includes(isa) === narrow);
          if (alike.length === 0) continue;
          const first = judge(alike[0]!, metric, pair);
          for (const isa of alike) {
            const { lows, highs, reaches } = judge(isa, metric, pair);
            expect([isa, lows, highs]).toEqual([isa, first.lows, first.highs]);
            expect(Math.min(...reaches)).toBe(1);
          }
          // A query of zeros has no scale, hence no bound.
          if (pair.query.every((value) => value === 0)) continue;
          for (let i = 0; i < BATCH; i++) {
            const { centre, radius } = certify(metric, pair.query, 0, pair.rows, i * dim, dim, narrow);
            expect(first.lows[i]).toBeLessThanOrEqual(centre - radius);
            expect(first.highs[i]).toBeGreaterThanOrEqual(centre + radius);
            // What is added for rounding is of the size of float32 roundings.
            const lengths = norm(pair.query, 0, dim) * norm(pair.rows, i * dim, dim);
            const squares = norm(pair.query, 0, dim) ** 2 + norm(pair.rows, i * dim, dim) ** 2;
            const size = { ip: lengths, cosine: 1, l2: 2 * squares, hamming: 0 }[metric];
            expect(first.highs[i]! - first.lows[i]! - 2 * radius).toBeLessThanOrEqual(size * 1e-5 + 1e-37);
          }
        }
      }
    }
  });

  test('rows and queries out of range are undecided and stay in', () => {
    const rows = Float32Array.of(1e30, 1e30, 1, 1);
    const fine = judge(isas[0]!, 'ip', { query: Float32Array.of(1, 1), rows });
    expect([...fine.lows].map(Number.isFinite)).toEqual([false, true]);
    const huge = judge(isas[0]!, 'ip', { query: Float32Array.of(1e30, 1), rows });
    expect([...huge.highs]).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
    expect([...fine.reaches, ...huge.reaches]).toEqual([1, 1, 1, 1]);
  });

  test('a threshold just above the bound drops the row', () => {
    const source = random(3);
    const rows = draw(BATCH * 48, 48, 'normal', source);
    const query = draw(48, 48, 'normal', source);
    for (const metric of METRICS) {
      for (const isa of isas) {
        const { highs } = judge(isa, metric, { query, rows });
        const beyond = highs.map((high) => high + Math.abs(high) * 1e-4 + 1e-3);
        const kept = new Uint32Array(BATCH);
        const [lows, same] = [new Float32Array(BATCH), new Float32Array(BATCH)];
        addon.certify(isa, METRICS.indexOf(metric), 48, rows, query, beyond, lows, same, kept);
        expect(Math.max(...kept)).toBe(0);
      }
    }
  });

  describe.each(isas)('%s', (isa) => {
    test.each(Object.keys(STARTS))('no search for a violation finds one: %s', async (kind) => {
      for (const metric of METRICS) {
        for (const dim of [1, 2, 5, 17, 65]) {
          const worst = await attack(isa, metric, dim, kind, 40, dim * 31);
          expect([metric, dim, worst]).toEqual([metric, dim, Math.min(worst, 1)]);
        }
      }
    });
  });

  test('the attack would find a bound that is a tenth too small', async () => {
    for (const metric of METRICS) {
      const climbs = [2, 3, 17].map((dim) => attack(isas[0]!, metric, dim, 'between codes', 400, dim));
      expect(Math.max(...(await Promise.all(climbs)))).toBeGreaterThan(0.9);
    }
  });
});

(isas.length === 0 ? describe.skip : describe)('the certified scan', () => {
  /** Searches new rows of one backend and says what that took. */
  async function totals(data: Float32Array, queries: Float32Array, dim: number, k: number, metric: Metric) {
    const rows = addon.createRows(addon.openCpu('', 2, true), dim, METRICS.indexOf(metric), 0);
    await addon.append(rows, data, new Float32Array());
    const q = queries.length / dim;
    const count = data.length / dim;
    const [ids, scores] = [new Uint32Array(q * k), new Float32Array(q * k)];
    await addon.search(rows, queries, q, k, count, undefined, count, ids, scores)[1];
    return { ...addon.scanTotals(rows), bytes: addon.bytes(rows) };
  }

  test.each(METRICS)('%s reads few rows in full precision', async (metric) => {
    const source = random(11);
    const [data, queries] = [draw(4000 * 64, 64, 'normal', source), draw(9 * 64, 64, 'normal', source)];
    const { queries: q, open, scored, bytes } = await totals(data, queries, 64, 10, metric);
    expect([q, open]).toEqual([9, 0]);
    expect(scored).toBeGreaterThanOrEqual(9 * 10);
    expect(scored).toBeLessThan((9 * 4000) / 20);
    const beside = { ip: 12, cosine: 20, l2: 12, hamming: 0 }[metric];
    expect(bytes).toBe(4000 * (64 * 4 + 64 + beside));
  });

  test('leaves a batch to the rows if k is too large a share of them', async () => {
    const source = random(13);
    const [data, queries] = [draw(4000 * 64, 64, 'normal', source), draw(16 * 64, 64, 'normal', source)];
    const few = queries.subarray(0, 15 * 64);
    const opens = [
      (await totals(data, queries, 64, 31, 'ip')).open,
      (await totals(data, queries, 64, 32, 'ip')).open,
    ];
    expect([...opens, (await totals(data, few, 64, 32, 'ip')).open]).toEqual([0, 16, 0]);
  });

  test('falls back, for each query by itself, where codes exclude too few rows', async () => {
    const source = random(12);
    const data = draw(9000 * 16, 16, 'normal', source).map((value, i) => (i % 16 === 0 ? 1 : value));
    for (let row = 0; row < 9000; row++) data[row * 16 + 1] = 5;
    const ties = Float32Array.from({ length: 16 }, (_, i) => (i === 1 ? 1 : 0));
    const queries = new Float32Array([...draw(16, 16, 'normal', source), ...ties, ...new Float32Array(16)]);
    const { open } = await totals(data, queries, 16, 5, 'ip');
    expect(open).toBe(2);
  });
});
