// Searches beside bursts of long ranking jobs on one index of real glosses: under the WorkManager, on static splits, without
// any management, and searches alone. The same arrivals in each, interleaved, in real time (about two minutes).
// node scripts/bench.mjs admission [rounds = 8]
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { readWordnet } from '../scripts/wordnet.mjs';
import { DEFAULT_EMBEDDER, DEFAULT_RANKER } from '../ts/core/defaults.ts';
import { SeineError } from '../ts/core/errors.ts';
import { random } from '../ts/core/random.ts';
import { threadBudget } from '../ts/core/threads.ts';
import { open } from '../ts/open.ts';
import { WORKLOADS } from '../ts/serve/admission/workloads.ts';
import { WorkManager } from '../ts/serve/admission/workManager.ts';

const DOCUMENTS = 2000;
const DEPTH = 10;
/** Texts that a slice of bulk work ranks. */
const SLICE = 8;
/** Part of the measured capacity at which searches arrive. */
const LOAD = 0.4;
/** Short, and the modes take turns, so that what else the machine does falls on all of them. */
const ROUND_MS = 3_000;
/** In a round: from when to when there are jobs of slices, how many of them are side by side is `JOBS`. */
const BURSTS = [
  { workload: 'bulk', from: 200, to: 1_300 },
  { workload: 'judge', from: 1_700, to: 2_700 },
] as const;
const JOBS = 12;
const SLOTS = threadBudget() + 1;

/** A static split: one slot for each kind of long jobs, the others for searches. */
const STATIC = { interactive: Math.max(1, SLOTS - 2), bulk: 1, judge: 1 };

const rounds = Number(process.argv[2] ?? 8);
const glosses = [...readWordnet()];
const documents = Array.from(
  { length: DOCUMENTS },
  (_, i) => glosses[Math.floor((i * glosses.length) / DOCUMENTS)]!,
);
const queries = readFileSync('test/wordnet/queries.jsonl', 'utf8')
  .trim()
  .split('\n')
  .map((line) => (JSON.parse(line) as { text: string }).text);

const folder = mkdtempSync(join(tmpdir(), 'seine-admission-'));
const index = await open(join(folder, 'wordnet.seine'));
await index.upsert(documents);

let asked = 0;
const search = async (): Promise<void> => {
  await index.search(queries[asked++ % queries.length]!, { depth: DEPTH, retrieve: 'dense' });
};
const rankSlice = async (): Promise<void> => {
  const texts = Array.from({ length: SLICE }, () => documents[asked++ % DOCUMENTS]!.text);
  await index.rank(queries[asked % queries.length]!, texts);
};

/** Runs of `task` a second, with so many at a time. */
async function capacity(task: () => Promise<void>, parallel: number, ms: number): Promise<number> {
  const began = performance.now();
  let done = 0;
  const worker = async (): Promise<void> => {
    for (; performance.now() - began < ms; done++) await task();
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  return (done * 1000) / (performance.now() - began);
}

type Workload = keyof typeof WORKLOADS;
/** How a mode runs a unit of work. */
type Run = (workload: Workload, task: () => Promise<void>) => Promise<void>;

/** Each workload on slots of its own. */
function split(): Run {
  const managers = new Map(
    Object.entries(WORKLOADS).map(([name, settings]) => {
      const workloads = { [name]: { ...settings, maxShare: 1 } };
      return [name, new WorkManager({ slots: STATIC[name as Workload], workloads })];
    }),
  );
  return (workload, task) => managers.get(workload)!.run(workload, task);
}

const modes: Record<string, () => Run> = {
  alone: () => (_, task) => task(),
  managed: () => {
    const manager = new WorkManager({ slots: SLOTS, workloads: WORKLOADS });
    return (workload, task) => manager.run(workload, task);
  },
  static: split,
  unmanaged: () => (_, task) => task(),
};

interface Measured {
  latencies: number[];
  sliceLatencies: number[];
  refused: number;
  wallMs: number;
  cpuMs: number;
}

async function replay(name: string, seed: number, perSecond: number): Promise<Measured> {
  const run = modes[name]!();
  const measured: Measured = { latencies: [], sliceLatencies: [], refused: 0, wallMs: 0, cpuMs: 0 };
  const cpu = process.cpuUsage();
  const began = performance.now();
  const until = (ms: number): Promise<void> => sleep(Math.max(0, began + ms - performance.now()));
  const working: Promise<void>[] = [];

  const searchAt = async (at: number): Promise<void> => {
    await until(at);
    try {
      await run('interactive', search);
      measured.latencies.push(performance.now() - began - at); // what the event loop is late counts too
    } catch (error) {
      if (!(error instanceof SeineError)) throw error;
      measured.refused++;
    }
  };
  const { next } = random(seed);
  for (let at = 0; at < ROUND_MS; at += (-Math.log(1 - next()) * 1000) / perSecond)
    working.push(searchAt(at));

  const job = async ({ workload, from, to }: (typeof BURSTS)[number]): Promise<void> => {
    await until(from);
    while (performance.now() - began < to) {
      const since = performance.now();
      await run(workload, rankSlice);
      measured.sliceLatencies.push(performance.now() - since);
    }
  };
  for (const burst of name === 'alone' ? [] : BURSTS) {
    for (let i = 0; i < JOBS; i++) working.push(job(burst));
  }
  await Promise.all(working);
  measured.wallMs = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  measured.cpuMs = (user + system) / 1000;
  return measured;
}

await capacity(search, SLOTS, 1000);
const searchesPerSecond = await capacity(search, SLOTS, 3000);
const slicesPerSecond = await capacity(rankSlice, SLOTS, 3000);
const names = Object.keys(modes);
const all = new Map<string, Measured[]>(names.map((name) => [name, []]));
for (let round = 0; round < rounds; round++) {
  for (let turn = 0; turn < names.length; turn++) {
    const name = names[(turn + round) % names.length]!;
    all.get(name)!.push(await replay(name, round + 1, LOAD * searchesPerSecond));
  }
}
await index.close();
rmSync(folder, { recursive: true });

const round = (value: number, digits = 1): number => Number(value.toFixed(digits));
function quantile(numbers: number[], part: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}
const burstMs = BURSTS.reduce((sum, { from, to }) => sum + to - from, 0);
const summary = names.map((name) => {
  const runs = all.get(name)!;
  const sum = (of: (run: Measured) => number): number => runs.reduce((total, run) => total + of(run), 0);
  const latencies = runs.flatMap((run) => run.latencies);
  const slices = sum((run) => run.sliceLatencies.length);
  const work = latencies.length / searchesPerSecond + slices / slicesPerSecond;
  return {
    name,
    searches: latencies.length,
    refused: sum((run) => run.refused),
    medianMs: round(quantile(latencies, 0.5)),
    p99Ms: round(quantile(latencies, 0.99)),
    /** Stalls of the whole machine in one round do not decide this one. */
    medianOfRoundP99Ms: round(
      quantile(
        runs.map((run) => quantile(run.latencies, 0.99)),
        0.5,
      ),
    ),
    jobTextsPerSecond: round((slices * SLICE * 1000) / (runs.length * burstMs)),
    sliceP99Ms:
      slices === 0
        ? null
        : round(
            quantile(
              runs.flatMap((run) => run.sliceLatencies),
              0.99,
            ),
          ),
    /** Of what the process can do: searches and slices done, each over its measured capacity. */
    utilisation: round(work / (sum(({ wallMs }) => wallMs) / 1000), 3),
    cpuShare: round(sum(({ cpuMs }) => cpuMs) / sum(({ wallMs }) => wallMs) / availableParallelism(), 3),
  };
});
const result = {
  command: `node scripts/bench.mjs admission ${rounds}`,
  machine: `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores`,
  versions: { node: process.versions.node },
  models: { embedder: DEFAULT_EMBEDDER, ranker: DEFAULT_RANKER },
  documents: DOCUMENTS,
  depth: DEPTH,
  slots: SLOTS,
  staticSlots: STATIC,
  workloads: WORKLOADS,
  load: LOAD,
  jobs: JOBS,
  textsPerSlice: SLICE,
  rounds,
  roundMs: ROUND_MS,
  capacity: { searchesPerSecond: round(searchesPerSecond), slicesPerSecond: round(slicesPerSecond) },
  modes: Object.fromEntries(summary.map(({ name, ...rest }) => [name, rest])),
};
mkdirSync('bench/results', { recursive: true });
writeFileSync('bench/results/admission.json', `${JSON.stringify(result, null, 2)}\n`);
console.log(JSON.stringify(result, null, 2));
