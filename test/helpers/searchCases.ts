import { expect } from '@jest/globals';
import fc from 'fast-check';
import { type Random, random } from '../../ts/core/random.ts';
import type { Filter, Metric, TopK } from '../../ts/core/types.ts';
import type { Device } from '../../ts/device/device.ts';
import { KINDS, numbers, queriesFor } from './kinds.ts';

export const METRICS: Metric[] = ['ip', 'cosine', 'l2'];

/** A number that depends on the number of rows and on k, with a name for reports. */
type Rule = (n: number, k: number) => number;

/** Rows that come, go and are searched. */
export interface SearchCase {
  metric: Metric;
  kind: string;
  dim: number;
  /** Rows of the upload and of each append. */
  parts: number[];
  q: number;
  k: Rule;
  filter: 'none' | 'mask' | 'rows';
  /** How many rows pass the filter. */
  passing: Rule;
  /** The share of the rows there are that is removed after each part. */
  removed: number;
  seed: number;
}

const named = (name: string, rule: Rule): Rule => Object.assign(rule, { toString: () => name });
const K: Rule[] = [
  ...[1, 2, 10, 31, 32, 33, 255, 256, 257, 1023, 1024, 1025, 2047, 2048, 2049].map((k) =>
    named(`${k}`, () => k),
  ),
  named('n - 1', (n) => n - 1),
  named('n', (n) => n),
  named('n + 1', (n) => n + 1),
];
const PASSING: Rule[] = [
  ...[0.005, 0.05, 0.5, 1].map((share) => named(`${share} n`, (n) => Math.round(share * n))),
  named('0', () => 0),
  named('1', () => 1),
  named('k - 1', (_, k) => k - 1),
  named('k', (_, k) => k),
];
/** Around the widths of vectors, warps, tiles, blocks and stripes. */
const ROWS = [0, 1, 3, 4, 5, 15, 16, 17, 31, 32, 33, 63, 64, 65, 159, 160, 161, 255, 256, 257]
  .concat([511, 512, 513, 1023, 1024, 1025])
  .concat([2047, 2048, 2049, 4095, 4096, 4097]);
const DIMS = [1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 384]
  .concat([767, 768, 1000, 1023, 1024, 1025, 1030])
  .concat([2048, 3071, 3072, 4095, 4096]);

/** Cases whose reference takes at most `work` multiplications, so `dim` and `q` give way where rows are many. */
export function searchCases(work: number): fc.Arbitrary<SearchCase> {
  const drawn = fc.record({
    metric: fc.constantFrom(...METRICS),
    kind: fc.constantFrom(...Object.keys(KINDS)),
    dim: fc.oneof(fc.constantFrom(...DIMS), fc.integer({ min: 1, max: 130 })),
    parts: fc.array(fc.oneof(fc.constantFrom(...ROWS), fc.nat(1300)), { minLength: 1, maxLength: 3 }),
    q: fc.constantFrom(1, 2, 3, 7, 8, 9, 64, 65, 257),
    k: fc.constantFrom(...K),
    filter: fc.constantFrom('none' as const, 'mask' as const, 'rows' as const),
    passing: fc.constantFrom(...PASSING),
    removed: fc.constantFrom(0, 0.02, 0.9),
    seed: fc.nat(),
  });
  return drawn.map((c) => {
    const n = Math.max(
      1,
      c.parts.reduce((sum, part) => sum + part),
    );
    const dim = Math.max(1, Math.min(c.dim, Math.floor(work / 4 / n)));
    return { ...c, dim, q: Math.max(1, Math.min(c.q, Math.floor(work / n / dim))) };
  });
}

/** Uploads, removes, appends, removes again, and so on, and then searches. */
export async function play(device: Device, c: SearchCase): Promise<TopK> {
  const source = random(c.seed ^ 0xabc);
  const [first = 0, ...more] = c.parts;
  const options = { dim: c.dim, metric: c.metric, dtype: 'f32' as const };
  await using rows = await device.upload(numbers(first, c.dim, c.kind, c.seed), options);
  const remove = async () => {
    if (c.removed > 0) await rows.remove(pick(rows.count, Math.round(c.removed * rows.count), source));
  };
  await remove();
  for (const [i, count] of more.entries()) {
    await rows.append(numbers(count, c.dim, c.kind, c.seed + i + 2));
    await remove();
  }
  const n = rows.count;
  const k = Math.max(1, c.k(n, 0));
  const filter = filterOf(c.filter, n, Math.min(n, c.passing(n, k)), source);
  return rows.search(numbers(c.q, c.dim, queriesFor(c.kind), c.seed + 1), { k, filter });
}

/** So many ids below `n`, in any order. */
function pick(n: number, count: number, source: Random): Uint32Array {
  const all = Array.from({ length: n }, (_, id) => id);
  return Uint32Array.from(source.shuffle(all).slice(0, count));
}

function filterOf(
  kind: SearchCase['filter'],
  n: number,
  passing: number,
  source: Random,
): Filter | undefined {
  if (kind === 'none') return undefined;
  const ids = pick(n, passing, source);
  if (kind === 'rows') return { rows: ids };
  const mask = new Uint32Array(Math.ceil(n / 32));
  for (const id of ids) mask[id >> 5]! |= 1 << (id & 31);
  return { mask };
}

/** Compares bit patterns, so that -0 and 0 differ; all of them only to show a difference. */
export function expectSame(found: TopK, wanted: TopK): void {
  for (const name of ['counts', 'ids', 'scores'] as const) {
    const [a, b] = [found[name], wanted[name]].map(({ buffer }) => Buffer.from(buffer));
    if (a!.equals(b!)) continue;
    expect(new Uint32Array(found[name].buffer)).toEqual(new Uint32Array(wanted[name].buffer));
  }
}
