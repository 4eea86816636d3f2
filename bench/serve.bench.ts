// A real `seine serve` under load on loopback: latency over throughput, overload, ranking depth in a burst, score cache,
// ingest, soak. Also draws the curve of docs/serving.md.
// node scripts/bench.mjs serve [curve] [overload] [burst] [cache] [ingest] [soak] [--scale 0.2]
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import type { Bench } from './serve/bench.ts';
import { burst } from './serve/burst.ts';
import { cache } from './serve/cache.ts';
import { DOCUMENTS, prepareCorpus } from './serve/corpus.ts';
import { curve } from './serve/curve.ts';
import { ingest } from './serve/ingest.ts';
import { overload } from './serve/overload.ts';
import { picture } from './serve/picture.ts';
import { latencyChart, type Results, report } from './serve/report.ts';
import { soak } from './serve/soak.ts';

const PARTS = { curve, overload, burst, cache, ingest, soak };
const JSON_FILE = 'bench/results/serve.json';
const CURVE_FILE = 'docs/serving-curve.svg';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { scale: { type: 'string', default: '1' } },
});
const unknown = positionals.find((name) => !(name in PARTS));
const scale = Number(values.scale);
if (unknown !== undefined || !(scale > 0)) {
  console.error(`usage: npm run bench -- serve [${Object.keys(PARTS).join('] [')}] [--scale 0.2]`);
  process.exit(2);
}
const wanted = (Object.keys(PARTS) as (keyof typeof PARTS)[]).filter(
  (name) => positionals.length === 0 || positionals.includes(name),
);

const began = performance.now();
const say = (text: string): void => {
  console.log(`${((performance.now() - began) / 1000).toFixed(0).padStart(4)} s  ${text}`);
};
const corpus = await prepareCorpus();
say(`${DOCUMENTS} glosses indexed`);
const bench: Bench = { corpus, scale, say };
const commit = execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();
const results: Results = {
  ...(existsSync(JSON_FILE) && (JSON.parse(readFileSync(JSON_FILE, 'utf8')) as Results)),
  machine: `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores`,
  node: process.versions.node,
  index: `${DOCUMENTS} glosses of WordNet, default models and settings, cpu device`,
  note: 'The clients, processes of their own, share the machine with the server.',
};
try {
  for (const name of wanted) {
    say(`${name}:`);
    const command = `npm run bench -- serve ${name}${scale === 1 ? '' : ` --scale ${scale}`}`;
    Object.assign(results, { [name]: { command, commit, ...(await PARTS[name](bench)) } });
    // After each part: the last ones may be interrupted.
    mkdirSync('bench/results', { recursive: true });
    writeFileSync(JSON_FILE, `${JSON.stringify(results, null, 2)}\n`);
    writeFileSync(JSON_FILE.replace('.json', '.html'), report(results));
    if (name === 'curve') writeFileSync(CURVE_FILE, picture(latencyChart(results.curve!)));
  }
} finally {
  rmSync(corpus.folder, { recursive: true });
}
say(`written to ${JSON_FILE} and .html`);
