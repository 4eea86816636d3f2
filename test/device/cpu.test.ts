import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Random, random } from '../../ts/core/random.ts';
import type { Filter, Metric, TopK } from '../../ts/core/types.ts';
import { provider } from '../../ts/device/cpu.ts';
import type { Device } from '../../ts/device/device.ts';
import { native } from '../../ts/device/native.ts';
import { openDevice } from '../../ts/device/openDevice.ts';
import { OpenedDevice } from '../../ts/device/openedDevice.ts';

const isas = native()?.supportedIsas() ?? [];
if (isas.length === 0) console.warn('The cpu device is not tested: the addon is not built.');
const METRICS: Metric[] = ['ip', 'cosine', 'l2'];

/** Opens the cpu device at one instruction-set level. */
async function openIsa(isa: string): Promise<Device> {
  process.env.SEINE_ISA = isa;
  try {
    return new OpenedDevice(await provider.open());
  } finally {
    delete process.env.SEINE_ISA;
  }
}

/** Kinds of data that strain a selection or an error bound: a number from its row, its column and chance. */
const KINDS: Record<string, (row: number, column: number, source: Random) => number> = {
  normal: (_row, _column, source) => source.normal(),
  'few values': (_row, _column, source) => source.below(3) - 1,
  'all rows equal': (_row, column) => Math.sin(column + 1),
  'rows of eight kinds': (row, column) => Math.cos((row % 8) * 7 + column),
  'one bit apart': (_row, column, source) => Math.sin(column + 1) * (1 + source.below(3) * 2 ** -23),
  rising: (row, column) => (column === 0 ? row : 1e-3 * column),
  falling: (row, column) => (column === 0 ? -row : 1e-3 * column),
  'far from the origin': (_row, _column, source) => 1e4 + source.normal() / 16,
  huge: (_row, _column, source) => source.normal() * 1e30,
  'near overflow': (_row, _column, source) =>
    source.next() < 0.2 ? source.normal() * 6e37 : source.normal(),
  denormal: (_row, _column, source) => source.normal() * 1e-40,
  'all magnitudes': (_row, _column, source) => source.normal() * 2 ** (source.below(250) - 140),
  'signed zeros': (row, _column, source) =>
    row % 3 === 0 ? (source.next() < 0.5 ? -0 : 0) : source.normal(),
};

/** What was drawn last: the device and the reference get the same. */
const drawn = new Map<string, Float32Array>();

function numbers(rows: number, dim: number, kind: string, seed: number): Float32Array {
  const key = `${rows} ${dim} ${kind} ${seed}`;
  if (drawn.size > 8) drawn.clear();
  const values = drawn.get(key) ?? draw(rows, dim, kind, seed);
  drawn.set(key, values);
  return values;
}

function draw(rows: number, dim: number, kind: string, seed: number): Float32Array {
  const source = random(seed);
  const rule = KINDS[kind]!;
  const values = new Float32Array(rows * dim);
  for (let i = 0; i < values.length; i++) values[i] = rule(Math.floor(i / dim), i % dim, source);
  return values.map((value) => (Number.isFinite(value) ? value : 3e38));
}

interface Case {
  metric: Metric;
  kind: string;
  dim: number;
  /** Rows of the upload and of each append. */
  parts: number[];
  q: number;
  k: (n: number) => number;
  filter: 'none' | 'mask' | 'rows';
  share: number;
  removed: number;
  seed: number;
}

const K: [string, (n: number) => number][] = [
  ...[1, 2, 10, 31, 32, 33, 255, 256, 257].map((k): [string, () => number] => [`${k}`, () => k]),
  ['n - 1', (n) => n - 1],
  ['n', (n) => n],
  ['n + 1', (n) => n + 1],
];
const part = fc.oneof(
  fc.constantFrom(0, 1, 3, 4, 15, 16, 17, 159, 160, 161, 511, 512, 513, 1025),
  fc.nat(1300),
);
const cases: fc.Arbitrary<Case> = fc
  .record({
    metric: fc.constantFrom(...METRICS),
    kind: fc.constantFrom(...Object.keys(KINDS)),
    dim: fc.oneof(
      fc.constantFrom(1, 2, 3, 15, 16, 17, 31, 64, 100, 384, 1023, 1030),
      fc.integer({ min: 1, max: 130 }),
    ),
    parts: fc.array(part, { minLength: 1, maxLength: 3 }),
    q: fc.constantFrom(1, 2, 3, 7, 8, 9, 64, 65),
    k: fc
      .constantFrom(...K)
      .map(([name, k]) => Object.assign((n: number) => Math.max(1, k(n)), { toString: () => name })),
    filter: fc.constantFrom('none' as const, 'mask' as const, 'rows' as const),
    share: fc.constantFrom(0, 0.005, 0.05, 0.5, 1),
    removed: fc.constantFrom(0, 0.02, 0.9),
    seed: fc.nat(),
  })
  // Keeps the reference below some hundredths of a second.
  .filter(({ dim, parts, q }) => dim * q * parts.reduce((a, b) => a + b, 0) < 6e5);

/** Uploads, appends, removes and searches as a case says. */
async function play(device: Device, c: Case): Promise<TopK> {
  const source = random(c.seed ^ 0xabc);
  const [first = 0, ...more] = c.parts;
  const options = { dim: c.dim, metric: c.metric, dtype: 'f32' as const };
  await using rows = await device.upload(numbers(first, c.dim, c.kind, c.seed), options);
  for (const [i, count] of more.entries()) await rows.append(numbers(count, c.dim, c.kind, c.seed + i + 2));
  const n = rows.count;
  const pick = (share: number) =>
    Uint32Array.from({ length: n }, (_, id) => id).filter(() => source.next() < share);
  if (c.removed > 0) await rows.remove(pick(c.removed));
  const filter: Record<Case['filter'], () => Filter | undefined> = {
    none: () => undefined,
    rows: () => ({ rows: pick(c.share) }),
    mask: () => {
      const mask = new Uint32Array(Math.ceil(n / 32));
      for (const id of pick(c.share)) mask[id >> 5]! |= 1 << (id & 31);
      return { mask };
    },
  };
  const queries = numbers(c.q, c.dim, c.kind === 'normal' ? 'normal' : c.kind, c.seed + 1);
  return rows.search(queries, { k: c.k(n), filter: filter[c.filter]() });
}

/** Bit patterns, so that -0 and 0 differ; all of them only to show a difference. */
function expectSame(found: TopK, wanted: TopK): void {
  for (const name of ['counts', 'ids', 'scores'] as const) {
    const [a, b] = [found[name], wanted[name]].map(({ buffer }) => Buffer.from(buffer));
    if (a!.equals(b!)) continue;
    expect(new Uint32Array(found[name].buffer)).toEqual(new Uint32Array(wanted[name].buffer));
  }
}

(isas.length === 0 ? describe.skip : describe).each(isas.length === 0 ? ['no addon'] : isas)('%s', (isa) => {
  let device: Device;
  let reference: Device;
  beforeAll(async () => {
    device = await openIsa(isa);
    reference = await openDevice('reference');
  });
  afterAll(async () => {
    await device.close();
    await reference.close();
  });

  test('says which level it runs', () => {
    expect(device.description).toMatch(new RegExp(`^${isa}, \\d+ thread`));
  });

  test('ids and scores are bit for bit those of the reference', async () => {
    const property = fc.asyncProperty(cases, async (c) => {
      expectSame(await play(device, c), await play(reference, c));
    });
    await fc.assert(property, { numRuns: 50 });
  });

  test.each(Object.keys(KINDS))('every metric on data of the kind %s', async (kind) => {
    for (const metric of METRICS) {
      const c = { metric, kind, dim: 19, parts: [1500], q: 5, k: () => 40, removed: 0, share: 1, seed: 5 };
      const whole: Case = { ...c, filter: 'none' };
      expectSame(await play(device, whole), await play(reference, whole));
    }
  });

  test.each(METRICS)('%s over several chunks and stripes', async (metric) => {
    const c = { metric, kind: 'normal', dim: 1, parts: [66_000, 1, 70_000], q: 2, k: () => 500, seed: 9 };
    for (const [filter, share] of [
      ['none', 1],
      ['mask', 0.3],
      ['rows', 0.01],
    ] as const) {
      const whole: Case = { ...c, filter, share, removed: 0.02 };
      expectSame(await play(device, whole), await play(reference, whole));
    }
  });

  test('searches keep their snapshot while rows are appended and removed', async () => {
    const dim = 33;
    const data = numbers(3000, dim, 'normal', 1);
    const more = numbers(3000, dim, 'normal', 2);
    const queries = numbers(9, dim, 'normal', 3);
    const run = async (on: Device): Promise<TopK[]> => {
      await using rows = await on.upload(data, { dim, metric: 'l2', dtype: 'f32' });
      const results: Promise<TopK>[] = [];
      for (let i = 0; i < 10; i++) {
        results.push(rows.search(queries, { k: 20 }));
        void rows.append(more.subarray(i * 300 * dim, (i + 1) * 300 * dim));
        results.push(rows.search(queries, { k: 20 }));
        void rows.remove(Uint32Array.from({ length: 50 }, (_, j) => (i * 61 + j * 13) % 3000));
      }
      return Promise.all(results);
    };
    const [found, wanted] = await Promise.all([run(device), run(reference)]);
    for (const [i, one] of found.entries()) {
      expect(one.generation).toBe(i);
      expectSame(one, wanted[i]!);
    }
  });

  test('many searches at once', async () => {
    const dim = 64;
    await using rows = await device.upload(numbers(4000, dim, 'normal', 4), {
      dim,
      metric: 'ip',
      dtype: 'f32',
    });
    const queries = Array.from({ length: 40 }, (_, i) => numbers(1 + (i % 5), dim, 'normal', 100 + i));
    const together = await Promise.all(queries.map((one, i) => rows.search(one, { k: 1 + i * 7 })));
    for (const [i, one] of queries.entries())
      expectSame(together[i]!, await rows.search(one, { k: 1 + i * 7 }));
  });

  test('abort rejects with the reason, and the device goes on', async () => {
    const dim = 128;
    await using rows = await device.upload(numbers(20_000, dim, 'rising', 6), {
      dim,
      metric: 'cosine',
      dtype: 'f32',
    });
    const queries = numbers(200, dim, 'rising', 7);
    const reason = new Error('enough');
    const controller = new AbortController();
    const search = rows.search(queries, { k: 100, signal: controller.signal });
    setImmediate(() => controller.abort(reason));
    await expect(search).rejects.toBe(reason);
    const top = await rows.search(queries.subarray(0, dim), { k: 3 });
    expect(Array.from(top.counts)).toEqual([3]);
  });
});

describe('SEINE_ISA', () => {
  afterEach(() => {
    delete process.env.SEINE_ISA;
  });

  (isas.length === 0 ? test.skip : test)('an unknown level is refused with those there are', async () => {
    process.env.SEINE_ISA = 'mmx';
    await expect(provider.open()).rejects.toMatchObject({
      code: 'ERR_DEVICE_UNAVAILABLE',
      message: expect.stringMatching(/scalar.*got 'mmx'/),
    });
    await expect(provider.probe()).resolves.toMatchObject({ available: false });
  });
});
