// Filtered searches of the cpu device: at each share of passing rows against the same search without a filter, against the
// same with each strategy forced (a list of rows, their bitset), and against FAISS with a bitmap.
// npm run bench -- filter [--quick] [--json]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setBit, wordsFor } from '../ts/core/bitset.ts';
import { random } from '../ts/core/random.ts';
import { readFlags } from './measure/flags.ts';
import { interleaved } from './measure/interleaved.ts';
import { deliver, origin } from './measure/resultFile.ts';
import { type Sample, sample } from './measure/sample.ts';
import { type Strategy, steeredDevice } from './measure/steeredDevice.ts';
import { rounded, summary } from './measure/summary.ts';
import { openPeers } from './peers/openPeers.ts';
import type { FilterCase, FilterResult } from './report/results.ts';
import { drawn } from './scan/data.ts';

const DIM = 384;
const K = 10;
const SHARES = [0.0001, 0.001, 0.01, 0.03, 0.1, 0.3, 1];
/** Rows of a run in a clustered filter. */
const RUN = 2000;

const flags = readFlags();
const n = flags.quick ? 50_000 : 200_000;
const rounds = flags.quick ? { rounds: 5, seconds: 3 } : { rounds: 15, seconds: 20 };
const batches = flags.quick ? [1] : [1, 8];

const { rows: values, queries } = drawn('normal', n, DIM, Math.max(...batches));
const peers = await openPeers(['faiss']);
const python = peers.started.get('faiss');
// Its process also answers for numpy, where FAISS is missing.
const faiss = python?.engines.faiss === undefined ? undefined : python;
const folder = mkdtempSync(join(tmpdir(), 'seine-filter-'));
const { device, steer } = await steeredDevice();
const rows = await device.upload(values, { dim: DIM, metric: 'ip', dtype: 'f32' });

const cases: FilterCase[] = [];
const result: FilterResult = {
  ...origin('filter', peers.versions),
  note:
    `Milliseconds of a search of ${n} x ${DIM} float32 rows with k = ${K}, inner product. 'seine' is rows.search with ` +
    `filter.mask; 'unfiltered' the same without a filter; 'list' and 'mask' the same with the strategy forced.`,
  rows: n,
  dim: DIM,
  k: K,
  cases,
};
try {
  const path = join(folder, 'queries.f32');
  writeFileSync(join(folder, 'rows.f32'), values);
  await faiss?.load(join(folder, 'rows.f32'), n, DIM, 'ip');
  for (const layout of ['random', 'clustered'] as const) {
    for (const share of SHARES) {
      const ids = passingRows(layout, share);
      for (const batch of batches) {
        const one = await measure(layout, share, ids, queries.slice(0, batch * DIM), path);
        cases.push(one);
        console.error(show(one));
      }
    }
  }
} finally {
  peers.stop();
  await device.close();
  rmSync(folder, { recursive: true });
}
deliver('filter', result, flags);

async function measure(
  layout: FilterCase['layout'],
  share: number,
  ids: Uint32Array,
  some: Float32Array,
  path: string,
): Promise<FilterCase> {
  const batch = some.length / DIM;
  const mask = new Uint32Array(wordsFor(n));
  for (const row of ids) setBit(mask, row);
  const k = Math.min(K, ids.length);
  const answers: Record<string, ArrayLike<number>> = {};
  const by = (name: string, strategy: Strategy) => () => {
    steer(strategy);
    return sample(async () => {
      answers[name] = (await rows.search(some, { k, filter: { mask } })).ids;
    });
  };
  const engines: Record<string, () => Promise<Sample>> = {
    seine: by('seine', 'chosen'),
    unfiltered: () => sample(() => rows.search(some, { k: K })),
    mask: by('mask', 'mask'),
    list: by('list', 'list'),
  };
  if (faiss !== undefined) {
    writeFileSync(path, some);
    const among = join(folder, 'among.u32');
    writeFileSync(among, ids);
    engines.faiss = async () => {
      const { ids: found, ...times } = await faiss.search('faiss', path, batch, k, among);
      answers.faiss = found;
      return times;
    };
  }
  const samples = await interleaved(engines, rounds);
  const sameIds: FilterCase['sameIds'] = {};
  for (const [name, found] of Object.entries(answers)) {
    const same = Array.from(found).filter((id, slot) => id === answers.list![slot]).length;
    sameIds[name] = rounded(same / found.length);
  }
  if (sameIds.seine !== 1 || sameIds.mask !== 1) {
    throw new Error(`The strategies found different rows: ${layout}, ${share}, ${JSON.stringify(sameIds)}.`);
  }
  return { layout, share, passing: ids.length, batch, sameIds, ...summary('seine', samples) };
}

/** Rows that pass, rising: drawn one by one, or in runs. */
function passingRows(layout: FilterCase['layout'], share: number): Uint32Array {
  if (share === 1) return Uint32Array.from({ length: n }, (_, row) => row);
  const source = random(Math.round(share * 1e6));
  const run = layout === 'random' ? 1 : RUN;
  const most = Math.max(K, Math.round(share * n));
  const chosen = new Set<number>();
  while (chosen.size < most) {
    const first = source.below(n);
    for (let row = first; row < Math.min(n, first + run) && chosen.size < most; row++) chosen.add(row);
  }
  return Uint32Array.from(chosen).sort();
}

function show({ layout, share, batch, median, ratio }: FilterCase): string {
  const ratios = Object.entries(ratio).map(([name, { median: value }]) => `${name} ×${value}`);
  return `${layout} ${share * 100} %, batch ${batch}: ${median.seine!.ms} ms; ${ratios.join(', ')}`;
}
