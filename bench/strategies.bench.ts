// Calibrates when a filtered search of the cpu device reads a list of rows and when their bitset: measures both over many
// filters and finds the thresholds of ts/device/cpuListPays.ts that lose least.
// npm run bench -- strategies [--quick] [--json]
import { setBit, wordsFor } from '../ts/core/bitset.ts';
import { random } from '../ts/core/random.ts';
import { bitsetPasses, type PassingShape } from '../ts/device/bitsetPasses.ts';
import { cpuListPays } from '../ts/device/cpuListPays.ts';
import type { Rows } from '../ts/device/device.ts';
import { native } from '../ts/device/native.ts';
import { readFlags } from './measure/flags.ts';
import { interleaved } from './measure/interleaved.ts';
import { deliver, origin } from './measure/resultFile.ts';
import { type Sample, sample } from './measure/sample.ts';
import { type Strategy, steeredDevice } from './measure/steeredDevice.ts';
import { rounded } from './measure/summary.ts';
import { drawn } from './scan/data.ts';

const K = 10;
const SHARES = [0.0001, 0.001, 0.003, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3];
/** Rows that pass in a row. */
const RUNS = [1, 4, 32, 256, 2000];

interface Cell extends PassingShape {
  dim: number;
  batch: number;
  run: number;
  /** The least of all rounds: what else the machine does only adds. */
  list: number;
  mask: number;
}

const flags = readFlags();
const shapes = flags.quick
  ? [{ dim: 384, n: 20_000 }]
  : [
      { dim: 128, n: 200_000 },
      { dim: 384, n: 200_000 },
      { dim: 1024, n: 100_000 },
    ];
const rounds = { rounds: 5, seconds: flags.quick ? 1 : 10 };
const isa = process.env.SEINE_ISA || (native()?.supportedIsas()[0] ?? '');
const { device, steer } = await steeredDevice();
const cells: Cell[] = [];
for (const { dim, n } of shapes) {
  const { rows: values, queries } = drawn('normal', n, dim, 8);
  await using rows = await device.upload(values, { dim, metric: 'ip', dtype: 'f32' });
  for (const run of RUNS) {
    for (const share of SHARES) {
      const filter = filtered(n, run, Math.max(K, Math.round(share * n)));
      for (const batch of [1, 8]) {
        const times = await compared(rows, queries.slice(0, batch * dim), filter.mask);
        cells.push({ dim, batch, run, ...filter.shape, ...times });
      }
    }
  }
  console.error(`${n} × ${dim}`, lossOf(cpuListPays(isa)));
}
await device.close();

const fits = [3, 4, 5, 6, 8, 10, 12, 16].flatMap((perListed) =>
  [0, 200, 400, 600, 800, 1200].map((free) => ({
    perListed,
    free,
    ...lossOf(cpuListPays(isa, { perListed, free })),
  })),
);
fits.sort((a, b) => a.mean - b.mean);
const result = {
  ...origin('strategies'),
  note:
    `Milliseconds of a filtered search with k = ${K}, inner product, float32, by a list and by a bitset, the least of all ` +
    `rounds. 'loss' is how many times as long as the better one a choice takes: as it is, and by the best thresholds.`,
  loss: {
    chosen: lossOf(cpuListPays(isa)),
    list: lossOf(() => true),
    mask: lossOf(() => false),
  },
  fits: fits.slice(0, 12),
  cells,
};
deliver('strategies', result, flags);
console.error(result.loss, fits.slice(0, 6));

/** How much longer than the better strategy a choice takes. */
function lossOf(listPays: (shape: PassingShape) => boolean): { mean: number; worst: number } {
  const losses = cells.map((cell) => cell[listPays(cell) ? 'list' : 'mask'] / Math.min(cell.list, cell.mask));
  return {
    mean: rounded(losses.reduce((sum, loss) => sum + loss, 0) / losses.length),
    worst: rounded(Math.max(...losses)),
  };
}

async function compared(
  rows: Rows,
  some: Float32Array,
  mask: Uint32Array,
): Promise<Pick<Cell, 'list' | 'mask'>> {
  const by = (strategy: Strategy) => () => {
    steer(strategy);
    return sample(() => rows.search(some, { k: K, filter: { mask } }));
  };
  const samples = await interleaved({ list: by('list'), mask: by('mask') }, rounds);
  const least = (taken: Sample[] = []) => rounded(Math.min(...taken.map(({ ms }) => ms)));
  return { list: least(samples.list), mask: least(samples.mask) };
}

function filtered(n: number, run: number, passing: number): { mask: Uint32Array; shape: PassingShape } {
  const source = random(run + passing);
  const mask = new Uint32Array(wordsFor(n));
  const chosen = new Set<number>();
  while (chosen.size < passing) {
    const first = source.below(n);
    for (let row = first; row < Math.min(n, first + run) && chosen.size < passing; row++) chosen.add(row);
  }
  for (const row of chosen) setBit(mask, row);
  return { mask, shape: { passing, blocks: bitsetPasses.narrow(mask, undefined).blocks, count: n } };
}
