import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Random, random } from '../../ts/core/random.ts';
import type { Dtype, Metric, TopK } from '../../ts/core/types.ts';
import type { Device, UploadOptions } from '../../ts/device/device.ts';
import { native } from '../../ts/device/native.ts';
import { openDevice } from '../../ts/device/openDevice.ts';
import { devices } from '../helpers/devices.ts';
import { DRAWN } from '../helpers/effort.ts';
import { naiveSearch } from '../helpers/naiveSearch.ts';
import { storedNumbers } from '../helpers/storedNumbers.ts';

type Kind = Pick<UploadOptions, 'dtype' | 'metric'>;

/** Every dtype but f32, with every metric that it has. */
const KINDS: Kind[] = [
  ...(['f16', 'bf16', 'int8'] as const).flatMap((dtype) =>
    (['ip', 'cosine', 'l2'] as const).map((metric) => ({ dtype, metric })),
  ),
  { dtype: 'binary', metric: 'hamming' },
];

const SPREADS: Record<string, (source: Random) => number> = {
  normal: (source) => source.normal(),
  'few values': (source) => source.below(3) - 1,
  wild: (source) => source.normal() * 2 ** (source.below(36) - 24),
};

const bits = (scores: ArrayLike<number>) => Array.from(new Uint32Array(Float32Array.from(scores).buffer));

function expectSame(top: TopK, naive: ReturnType<typeof naiveSearch>): void {
  expect(Array.from(top.ids)).toEqual(naive.ids);
  expect(bits(top.scores)).toEqual(bits(naive.scores));
  expect(Array.from(top.counts)).toEqual(naive.counts);
}

/** The processor's kernels of the levels below the best one. */
const levels = (native()?.supportedIsas() ?? [])
  .slice(1)
  .filter((isa) => ['avx2', 'scalar'].includes(isa))
  .map((isa) => ({ label: `cpu with ${isa}`, pace: 1, open: () => openLevel(isa) }));

async function openLevel(isa: string): Promise<Device> {
  const before = process.env.SEINE_ISA;
  process.env.SEINE_ISA = isa;
  try {
    return await openDevice('cpu');
  } finally {
    if (before === undefined) delete process.env.SEINE_ISA;
    else process.env.SEINE_ISA = before;
  }
}

describe.each([...devices, ...levels])('$label', ({ open, pace }) => {
  let device: Device;
  beforeAll(async () => {
    device = await open();
  });
  afterAll(() => device.close());

  const input = fc.record({
    kind: fc.constantFrom(...KINDS),
    dim: fc.oneof(
      { weight: 4, arbitrary: fc.integer({ min: 1, max: 140 }) },
      fc.constantFrom(1, 31, 32, 33, 63, 64, 65, 127, 128, 129, 384, 1025),
    ),
    n: fc.oneof(fc.constantFrom(1, 31, 32, 33, 63, 64, 65, 257, 700), fc.integer({ min: 1, max: 1500 })),
    q: fc.constantFrom(1, 1, 2, 7, 8, 9, 33),
    k: fc.constantFrom(1, 5, 31, 33, 257, 2000),
    share: fc.option(fc.constantFrom(0.01, 0.3, 0.99), { nil: undefined }),
    spread: fc.constantFrom(...Object.keys(SPREADS)),
    seed: fc.nat(),
  });

  test('agrees with the definition on random input', async () => {
    const property = fc.asyncProperty(input, async ({ kind, dim, n, q, k, share, spread, seed }) => {
      const source = random(seed);
      const numbers = (count: number) => Float32Array.from({ length: count }, () => SPREADS[spread]!(source));
      const data = numbers(n * dim);
      const queries = numbers(q * dim);
      const allowed = Array.from({ length: n }, (_, id) => id).filter(
        () => share === undefined || source.next() < share,
      );
      const filter = share === undefined ? undefined : { rows: Uint32Array.from(allowed) };
      await using rows = await device.upload(data, { dim, ...kind });
      expect(rows).toMatchObject({ ...kind, dim, count: n });
      const stored = await storedNumbers(data, dim, kind.dtype);
      const passes = new Set(allowed);
      const naive = naiveSearch(stored, queries, dim, kind.metric, k, (id) => passes.has(id));
      expectSame(await rows.search(queries, { k, filter }), naive);
    });
    await fc.assert(property, { numRuns: 60 * pace, ...DRAWN });
  }, 180_000);

  test.each(inputs())('%s', async (_, data, queries, dim, k, dtypes) => {
    for (const kind of KINDS.filter(({ dtype }) => dtypes.includes(dtype))) {
      await using rows = await device.upload(data, { dim, ...kind });
      const top = await rows.search(queries, { k });
      const stored = await storedNumbers(data, dim, kind.dtype);
      const naive = naiveSearch(stored, queries, dim, kind.metric, k);
      expect([kind, ...top.ids]).toEqual([kind, ...naive.ids]);
      expect([kind, ...bits(top.scores)]).toEqual([kind, ...bits(naive.scores)]);
    }
  });

  test.each(KINDS)('$dtype, $metric: appends, removals and compactions keep what is stored', async (kind) => {
    const dim = 37;
    const source = random(71);
    const numbers = (n: number) => Float32Array.from({ length: n * dim }, () => source.normal());
    const first = numbers(300);
    const more = numbers(170);
    const query = numbers(3);
    await using rows = await device.upload(first, { dim, ...kind });
    await rows.append(more);
    const before = await rows.search(query, { k: 470 });
    const removed = Uint32Array.from({ length: 157 }, (_, i) => i * 3);
    const gone = new Set(removed);
    await rows.remove(removed);
    // Twice, as what is read is written again.
    for (const count of [313, 312]) {
      const { remap } = await rows.compact();
      expect(rows.count).toBe(count === 313 ? 313 : 312);
      if (count === 313) await rows.remove([remap[469]!]);
    }
    gone.add(469);
    const left = Array.from({ length: 470 }, (_, id) => id).filter((id) => !gone.has(id));
    const after = await rows.search(query, { k: 312 });
    for (let i = 0; i < 3; i++) {
      const kept = Array.from(before.ids.subarray(i * 470, (i + 1) * 470), (id, slot) => ({
        id,
        score: before.scores[i * 470 + slot]!,
      })).filter(({ id }) => !gone.has(id));
      const slots = Array.from({ length: 312 }, (_, slot) => i * 312 + slot);
      expect(slots.map((slot) => left[after.ids[slot]!])).toEqual(kept.map(({ id }) => id));
      expect(bits(slots.map((slot) => after.scores[slot]!))).toEqual(bits(kept.map(({ score }) => score)));
    }
  });

  test('fewer bits take less memory', async () => {
    const dim = 256;
    const data = Float32Array.from({ length: 4000 * dim }, (_, i) => (i % 7) - 3);
    const bytes: Partial<Record<Dtype, number>> = {};
    for (const dtype of ['f32', 'f16', 'bf16', 'int8', 'binary'] as const) {
      const metric: Metric = dtype === 'binary' ? 'hamming' : 'ip';
      await using rows = await device.upload(data, { dim, metric, dtype });
      bytes[dtype] = rows.bytes;
    }
    expect(bytes.f16! / bytes.f32!).toBeLessThan(0.53);
    expect(bytes.bf16).toBe(bytes.f16);
    expect(bytes.int8! / bytes.f32!).toBeLessThan(0.28);
    expect(bytes.binary! / bytes.f32!).toBeLessThan(0.04);
  });

  test('numbers beyond the range of the storage type are refused, and nothing is stored', async () => {
    const options: UploadOptions = { dim: 2, metric: 'ip', dtype: 'f16' };
    const bad = Float32Array.of(1, 2, 3, 65520, 5, 6);
    const refusal = { code: 'ERR_OVERFLOW', message: expect.stringContaining('65520 at row 1, column 1') };
    await expect(device.upload(bad, options)).rejects.toMatchObject(refusal);
    await using rows = await device.upload(Float32Array.of(65519, -65519), options);
    await expect(rows.append(bad)).rejects.toMatchObject(refusal);
    expect(rows).toMatchObject({ count: 1, generation: 0 });
    // Queries are not stored: they may be larger.
    const top = await rows.search(Float32Array.of(1e30, 0), { k: 1 });
    expect(top.scores[0]).toBe(Math.fround(65504 * Math.fround(1e30)));
    async function* chunks() {
      yield Float32Array.of(1, 2, 3, 4);
      yield bad;
    }
    await expect(device.upload(chunks(), options)).rejects.toMatchObject({
      message: expect.stringContaining('row 3, column 1'),
    });
  });
});

/** Inputs made to break a conversion, a bound or a selection: `[name, data, queries, dim, k, dtypes]`. */
function inputs(): [string, Float32Array, Float32Array, number, number, Dtype[]][] {
  const source = random(4711);
  const noise = () => source.normal();
  const matrix = (n: number, dim: number, rule: (row: number, column: number) => number) =>
    Float32Array.from({ length: n * dim }, (_, i) => rule(Math.floor(i / dim), i % dim));
  const many = 1100;
  const all: Dtype[] = ['f16', 'bf16', 'int8', 'binary'];
  const wide: Dtype[] = ['bf16', 'int8', 'binary'];
  return [
    [
      'ties that rounding makes',
      matrix(many, 6, (row, column) => 1 + (column === 0 ? row * 2 ** -22 : 0)),
      matrix(2, 6, noise),
      6,
      40,
      all,
    ],
    ['all rows equal', matrix(many, 7, (_, column) => column / 3), matrix(2, 7, noise), 7, 40, all],
    ['all zero', new Float32Array(many * 3), matrix(3, 3, (row, column) => row * column), 3, 9, all],
    [
      'some rows zero',
      matrix(many, 3, (row) => (row % 3 === 0 ? 0 : noise())),
      matrix(3, 3, noise),
      3,
      500,
      all,
    ],
    ['far more ties than room', matrix(5000, 2, (row) => (row % 3) - 1), Float32Array.of(1, 1), 2, 7, all],
    [
      'negative zero',
      matrix(many, 3, (row) => (row % 2 === 0 ? -0 : 0)),
      Float32Array.of(-0, 0, -1),
      3,
      5,
      all,
    ],
    ['subnormal halves', matrix(many, 20, () => noise() * 2 ** -17), matrix(3, 20, noise), 20, 25, all],
    ['the smallest halves', matrix(many, 20, () => noise() * 2 ** -24), matrix(3, 20, noise), 20, 25, all],
    ['denormals', matrix(many, 9, () => noise() * 1e-40), matrix(3, 9, noise), 9, 25, all],
    [
      'rows of 127 and -127',
      matrix(many, 33, () => (noise() > 0 ? 127 : -127)),
      matrix(3, 33, noise),
      33,
      20,
      all,
    ],
    [
      'largest halves',
      matrix(many, 5, () => Math.sign(noise()) * (65504 + source.below(15))),
      matrix(3, 5, noise),
      5,
      20,
      all,
    ],
    [
      'largest numbers',
      matrix(many, 4, () => Math.sign(noise()) * 3.38e38 * (1 - source.below(5) / 100)),
      matrix(2, 4, noise),
      4,
      8,
      wide,
    ],
    [
      'the largest float32',
      matrix(many, 4, () => Math.sign(noise()) * 3.4028234e38),
      matrix(2, 4, noise),
      4,
      8,
      ['int8'],
    ],
    [
      'mixed magnitudes',
      matrix(many, 4, () => noise() * 10 ** (source.below(70) - 35)),
      matrix(2, 4, noise),
      4,
      20,
      wide,
    ],
    [
      'neighbours far from the origin',
      matrix(many, 8, () => 3e4 + noise()),
      matrix(2, 8, () => 3e4 + noise()),
      8,
      12,
      all,
    ],
    [
      'scores one float apart',
      matrix(many, 2, (row, column) => (column === 0 ? 1 + (row % 5) * 2 ** -10 : 0)),
      Float32Array.of(1, 1),
      2,
      300,
      all,
    ],
  ];
}
