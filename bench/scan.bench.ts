// The certified scan of the cpu device against its plain float32 scan, FAISS and numpy, all in turns.
// node scripts/bench.mjs scan [--quick] [--json] [--only 200000x384]
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { threadBudget } from '../ts/core/threads.ts';
import type { Metric } from '../ts/core/types.ts';
import { native, nativeProblem } from '../ts/device/native.ts';
import { drawn, type Vectors, wordnet } from './scan/data.ts';
import { K, type Measured, measure, type Setting } from './scan/measure.ts';
import { Peer } from './scan/peer.ts';

const FILE = 'bench/results/scan.json';
const BATCHES = [1, 8, 64, 256];
const MOST = 256;

type Part = [name: string, metrics: Metric[], vectors: () => Vectors | Promise<Vectors>];
const size = (kind: 'normal' | 'clustered', n: number, dim: number, metrics: Metric[]): Part => [
  `${n}x${dim} ${kind}`,
  metrics,
  () => drawn(kind, n, dim, MOST),
];
const PARTS: Part[] = [
  size('normal', 200_000, 384, ['ip', 'cosine', 'l2']),
  ['wordnet', ['ip'], () => wordnet(MOST)],
  size('clustered', 200_000, 384, ['ip']),
  size('normal', 200_000, 128, ['ip']),
  size('normal', 200_000, 768, ['ip']),
  size('normal', 100_000, 1024, ['ip']),
  size('normal', 100_000, 1536, ['ip']),
  size('normal', 1_000_000, 384, ['ip']),
];
const QUICK: Part[] = [size('normal', 50_000, 384, ['ip'])];

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
  },
});
const addon = native();
if (addon === undefined) throw nativeProblem();
const peer = await Peer.start();
const folder = mkdtempSync(join(tmpdir(), 'seine-scan-'));
const setting: Setting = {
  addon,
  threads: threadBudget(),
  peer,
  folder,
  rounds: flags.quick ? 3 : 5,
  seconds: flags.quick ? 4 : 15,
};
const batches = flags.quick ? [1, 64] : BATCHES;
const say = (text: string): void => {
  if (!flags.json) console.log(text);
};
const cases: Measured[] = [];
const result = {
  command: `node scripts/bench.mjs scan${flags.quick ? ' --quick' : ''}${flags.only && ` --only ${flags.only}`}`,
  commit: execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim(),
  machine: `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores`,
  versions: {
    seine: JSON.parse(readFileSync('package.json', 'utf8')).version as string,
    isa: addon.supportedIsas()[0]!,
    node: process.versions.node,
    faiss: peer?.versions.faiss ?? 'missing',
    numpy: peer?.versions.numpy ?? 'missing',
    blas: peer?.versions.blas ?? 'missing',
  },
  /** Of other work on the machine, over the last minute. */
  loadBefore: Number(loadavg()[0]!.toFixed(1)),
  threads: { seine: setting.threads, peers: peer?.versions.threads ?? 0 },
  note: `Milliseconds of a search with k = ${K}; vectors of unit length. FAISS is IndexFlatIP (ip, cosine) or IndexFlatL2.`,
  cases,
};
try {
  for (const [name, metrics, vectors] of (flags.quick ? QUICK : PARTS).filter(([one]) =>
    one.includes(flags.only),
  )) {
    const made = await vectors();
    for (const metric of metrics) {
      for (const one of await measure(setting, name, made, metric, batches)) {
        cases.push(one);
        say(`${name} ${metric} batch ${one.batch}: ${show(one)}`);
      }
    }
    // After each part: the last ones may be interrupted.
    if (!flags.quick && flags.only === '') {
      mkdirSync('bench/results', { recursive: true });
      writeFileSync(FILE, `${JSON.stringify(result, null, 2)}\n`);
    }
  }
} finally {
  peer?.stop();
  rmSync(folder, { recursive: true });
}
if (flags.json) console.log(JSON.stringify(result, null, 2));

function show({ median, ratio, cpuRatio, scored }: Measured): string {
  const ratios = Object.keys(ratio).map((one) => `${one} ×${ratio[one]!.median} (${cpuRatio[one]!.median})`);
  return `${median.certified!.ms} ms (${median.certified!.cpuMs}); ${ratios.join(', ')}; ${scored} rows`;
}
