// The certified scan of the cpu device against its plain float32 scan and other libraries, all in turns.
// npm run bench -- scan [--quick] [--json] [--only 200000x384 | forms | many]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { threadBudget } from '../ts/core/threads.ts';
import type { Metric } from '../ts/core/types.ts';
import { native, nativeProblem } from '../ts/device/native.ts';
import { keepResult, origin } from './measure/resultFile.ts';
import { openPeers, PEERS } from './peers/openPeers.ts';
import type { ScanResult } from './report/results.ts';
import { drawn, type Vectors, wordnet } from './scan/data.ts';
import { type FormCase, measureForms } from './scan/forms.ts';
import { MANY, type ManyBest, manyBest } from './scan/manyBest.ts';
import { K, type Measured, measure, type Setting } from './scan/measure.ts';

const BATCHES = [1, 8, 64, 256];
const MOST = 256;

interface Part {
  name: string;
  metrics: Metric[];
  vectors: () => Vectors | Promise<Vectors>;
  /** With every peer, not FAISS and numpy alone: some of them are slow. */
  everyPeer: boolean;
  batches: readonly number[];
}
const size = (
  kind: 'normal' | 'clustered',
  n: number,
  dim: number,
  metrics: Metric[],
  everyPeer = false,
): Part => ({
  name: `${n}x${dim} ${kind}`,
  metrics,
  vectors: () => drawn(kind, n, dim, MOST),
  everyPeer,
  batches: BATCHES,
});
/** How time grows with the number of rows. */
const growth = (n: number): Part => ({
  name: `${n}x128 growth`,
  metrics: ['ip'],
  vectors: () => drawn('normal', n, 128, 1),
  everyPeer: false,
  batches: [1],
});
const PARTS: Part[] = [
  size('normal', 200_000, 384, ['ip', 'l2'], true),
  size('normal', 200_000, 384, ['cosine']),
  { name: 'wordnet', metrics: ['ip'], vectors: () => wordnet(MOST), everyPeer: false, batches: BATCHES },
  size('clustered', 200_000, 384, ['ip']),
  size('normal', 200_000, 128, ['ip']),
  size('normal', 200_000, 768, ['ip']),
  size('normal', 100_000, 1024, ['ip']),
  size('normal', 100_000, 1536, ['ip']),
  size('normal', 1_000_000, 384, ['ip']),
  ...[10_000, 30_000, 100_000, 300_000, 1_000_000, 2_000_000].map(growth),
];
const QUICK: Part[] = [{ ...size('normal', 50_000, 384, ['ip']), batches: [1, 64] }];

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
  },
});
/** Sizes for which a thousand results are compared with ten, and the size of plain scans. */
const MANY_SIZES = flags.quick ? [50_000] : [200_000, 1_000_000];
const FORM_SIZE = flags.quick ? 50_000 : 200_000;
const addon = native();
if (addon === undefined) throw nativeProblem();
const parts = (flags.quick ? QUICK : PARTS).filter(({ name }) => name.includes(flags.only));
const peers = await openPeers(parts.some(({ everyPeer }) => everyPeer) ? PEERS : ['faiss']);
const folder = mkdtempSync(join(tmpdir(), 'seine-scan-'));
const setting: Setting = {
  addon,
  threads: threadBudget(),
  peers: [],
  folder,
  rounds: flags.quick ? 3 : 5,
  seconds: flags.quick ? 4 : 15,
};
const cases: Measured[] = [];
const forms: FormCase[] = [];
const many: ManyBest[] = [];
const result: ScanResult = {
  ...origin('scan', peers.versions),
  note: `Milliseconds of a search with k = ${K}; vectors of unit length. FAISS is IndexFlatIP (ip, cosine) or IndexFlatL2.`,
  cases,
  forms,
  manyBest: many,
};
try {
  for (const { name, metrics, vectors, everyPeer, batches } of parts) {
    const made = await vectors();
    const asked = [...peers.started].filter(([peer]) => everyPeer || peer === 'faiss');
    for (const metric of metrics) {
      const found = await measure(
        { ...setting, peers: asked.map(([, peer]) => peer) },
        name,
        made,
        metric,
        batches,
      );
      for (const one of found) {
        cases.push(one);
        console.error(`${name} ${metric} batch ${one.batch}: ${show(one)}`);
      }
    }
    keep();
  }
  if ('forms'.includes(flags.only)) {
    const started = [...peers.started].map(([, peer]) => peer);
    const vectors = drawn('normal', FORM_SIZE, 384, 64);
    forms.push(...(await measureForms({ ...setting, peers: started }, vectors, [1, 64])));
    for (const one of forms) console.error(`${one.dtype} batch ${one.batch}: ${showForm(one)}`);
    keep();
  }
  for (const n of 'many'.includes(flags.only) ? MANY_SIZES : []) {
    const vectors = drawn('normal', n, 384, 64);
    many.push(...(await manyBest(setting, `${n}x384 normal`, vectors, [1, 64])));
    keep();
  }
  for (const { data, batch, median, ratio, cpuRatio, scored, open } of many) {
    const times = `${median.thousand!.ms} ms, ×${ratio.thousand!.median} (${cpuRatio.thousand!.median}) of k = ${K}`;
    console.error(`${data} k = ${MANY}, batch ${batch}: ${times}; ${scored} rows, ${open} open`);
  }
} finally {
  peers.stop();
  rmSync(folder, { recursive: true });
}
if (flags.json) console.log(JSON.stringify(result, null, 2));

/** After each part: the last ones may be interrupted. */
function keep(): void {
  if (!flags.quick && flags.only === '') keepResult(`scan-${result.versions.isa}`, result);
}

function showForm({ median, ratio, cpuRatio, gigabytesPerSecond }: FormCase): string {
  const ratios = Object.keys(ratio).map((one) => `${one} ×${ratio[one]!.median} (${cpuRatio[one]!.median})`);
  return `${median.scan!.ms} ms (${median.scan!.cpuMs}), ${gigabytesPerSecond} GB/s; ${ratios.join(', ')}`;
}

function show({ median, ratio, cpuRatio, scored, bytesShare, residentShare }: Measured): string {
  const ratios = Object.keys(ratio).map((one) => `${one} ×${ratio[one]!.median} (${cpuRatio[one]!.median})`);
  return `${median.certified!.ms} ms (${median.certified!.cpuMs}); ${ratios.join(', ')}; ${scored} rows; memory ×${bytesShare} (${residentShare})`;
}
