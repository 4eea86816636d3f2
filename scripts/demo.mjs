// Describe a thing, find its name: searches WordNet's 117,791 glosses with the models that come with Seine.
//   npm run demo                                   ingest, examples, measured quality
//   npm run demo -- "a machine that measures ..."  answers that query
import { mkdir, rm } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SeineError } from '../dist/core/errors.js';
import { duration, progress } from '../dist/core/progress.js';
import { open, probeDevices } from '../dist/index.js';
import { bootstrap } from '../dist/offline/evaluate/bootstrap.js';
import { compare } from '../dist/offline/evaluate/compare.js';
import { evaluate, valuesOf } from '../dist/offline/evaluate/evaluate.js';
import { readQrels } from '../dist/offline/evaluate/readQrels.js';
import { readQueries } from '../dist/offline/evaluate/readQueries.js';
import { columns, count, field, heading, paragraph, style } from './demoText.mjs';
import { readWordnet } from './wordnet.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const DEFAULT_INDEX = resolve(root, '.cache/demo/wordnet.seine');
const BATCH = 2048;
const DEPTH = 50;
// Vectors alone: glosses are so short that sharing a word with one says little. On these very queries fusing BM25 in
// takes NDCG@10 from 0.484 to 0.381.
const OPTIONS = { retrieve: 'dense', depth: DEPTH };
const EXAMPLE_EVERY = 64;
const STAGES = ['understand', 'retrieve', 'rank', 'respond', 'total'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { index: { type: 'string', default: DEFAULT_INDEX } },
});
const path = resolve(values.index);
const shownPath = relative(process.cwd(), path);
const synsets = [...readWordnet()];
const say = (text = '') => process.stdout.write(`${text}\n`);

/** Brings every gloss into the index; what a former run committed is not encoded again. */
async function ingest(index) {
  const { documents } = await index.info();
  if (documents === synsets.length) return { documents, elapsed: 0 };
  const started = performance.now();
  const bar = progress({ label: 'Ingesting', unit: 'glosses', total: synsets.length });
  try {
    for (let first = 0; first < synsets.length; first += BATCH) {
      await index.upsert(synsets.slice(first, first + BATCH));
      bar.report(Math.min(first + BATCH, synsets.length));
    }
  } finally {
    bar.stop();
  }
  return { documents: synsets.length, elapsed: performance.now() - started };
}

/** The index is a copy of the glosses: where other models made it, it is made anew. */
async function openIndex() {
  await mkdir(dirname(path), { recursive: true });
  try {
    return await open(path);
  } catch (error) {
    if (error.code !== 'ERR_MODEL_MISMATCH' || path !== DEFAULT_INDEX) throw error;
    say(field('', 'The models have changed since the last run: everything is ingested anew.'));
    await rm(dirname(path), { recursive: true });
    await mkdir(dirname(path), { recursive: true });
    return open(path);
  }
}

async function answer(index, query) {
  const { hits, timings, device } = await index.search(query, OPTIONS);
  say(heading(query));
  for (const hit of hits) {
    const { pos, domain } = hit.attributes;
    const cells = [
      style('dim', `${hit.rank}`.padStart(2)),
      style('bold', hit.title),
      style('dim', `${pos}, ${domain}`),
    ];
    say(columns([4, 56, 20], cells));
    say(paragraph(hit.snippet, 4));
  }
  if (hits.length === 0) say('No hits: a query needs a word.');
  const stages = STAGES.map((stage) => `${stage} ${timings[stage].toFixed(1)}`);
  say(`\n${field('Time', `${stages.join(', ')} ms on ${device}`)}`);
}

function showExample(query, { retrieved, ranked }, grades) {
  say(style('bold', query));
  const cell = (hit) => {
    if (hit === undefined) return '';
    return grades.get(hit.id) === 3 ? style('green', `● ${hit.title}`) : `  ${hit.title}`;
  };
  for (let i = 0; i < 5; i++) {
    const number = style('dim', `${i + 1}`.padStart(2));
    say(columns([4, 38, 38], [number, cell(retrieved[i]), cell(ranked[i])]));
  }
  say();
}

function showQuality(results, qrels) {
  const metric = 'ndcg@10';
  const [retrieved, ranked] = ['retrieved', 'ranked'].map((order) => {
    // Scores only say the order here, best first.
    const run = results.map((result) => [result.id, result[order].map(({ id }, i) => ({ id, score: -i }))]);
    return evaluate(new Map(run), qrels, metric, { complete: true });
  });
  const intervals = bootstrap([retrieved, ranked].map(({ queries }) => valuesOf(queries, metric)));
  const difference = compare(ranked, retrieved).differences[metric];
  const line = (name, value, { low, high }, sign) => {
    const show = (number) => ((number >= 0 ? sign : '') + number.toFixed(3)).padStart(6);
    say(field(name, `${show(value)}   ${show(low)} to ${show(high)}`));
  };
  say(heading(`NDCG@10 over ${results.length} descriptions, and its 95 % interval`));
  line('Retrieved', retrieved.mean[metric], intervals[0], '');
  line('Ranked', ranked.mean[metric], intervals[1], '');
  line('Difference', difference.mean, difference.interval, '+');
  say(
    field('', `better in ${difference.better}, worse in ${difference.worse}, equal in ${difference.equal}`),
  );
}

function showTimings(results) {
  say(heading('Milliseconds a query: median and 95th percentile'));
  for (const stage of STAGES) {
    const sorted = results.map(({ timings }) => timings[stage]).sort((a, b) => a - b);
    const at = (part) => sorted[Math.floor(part * (sorted.length - 1))].toFixed(1).padStart(6);
    say(field(stage[0].toUpperCase() + stage.slice(1), `${at(0.5)}   ${at(0.95)}`));
  }
}

async function measure(index) {
  const queries = await readQueries(resolve(root, 'test/wordnet/queries.jsonl'));
  const qrels = await readQrels(resolve(root, 'test/wordnet/qrels.tsv'));
  const retrieved = await index.searchMany([...queries.values()], { ...OPTIONS, depth: 0 });
  const results = [];
  const bar = progress({ label: 'Searching', unit: 'queries', total: queries.size });
  for (const [id, query] of queries) {
    const { hits, timings } = await index.search(query, OPTIONS);
    results.push({ id, query, timings, retrieved: retrieved[results.length].hits, ranked: hits });
    bar.report(results.length);
  }
  bar.stop();

  say(heading(`Before and after ranking the best ${DEPTH}, every ${EXAMPLE_EVERY}th query (● fits)`));
  say(style('dim', columns([4, 38, 38], ['', '  Retrieved', '  Ranked'])));
  for (const [i, { id, query, ...orders }] of results.entries()) {
    if (i % EXAMPLE_EVERY === 0) showExample(query, orders, qrels.get(id));
  }
  showQuality(results, qrels);
  showTimings(results);
}

function showNextSteps() {
  const seine = 'node dist/cli/main.js';
  const index = `--index ${shownPath}`;
  say(heading('What to try next'));
  for (const lines of [
    ['npm run demo -- "spy who works for both sides"'],
    [`${seine} search "to move without a sound" \\`, `  ${index} --filter '{"eq":["pos","verb"]}'`],
    [`${seine} run --queries test/wordnet/queries.jsonl \\`, `  ${index} --ranker none --out fused.trec`],
    [`${seine} evaluate --run fused.trec --qrels test/wordnet/qrels.tsv`],
    [`${seine} doctor`],
  ]) {
    say(lines.map((line) => `  ${line}`).join('\n'));
  }
}

async function main() {
  const started = performance.now();
  say(style('bold', 'Seine: describe a thing, find its name'));
  say();
  const { name, reason } = (await probeDevices()).find(({ chosen }) => chosen);
  say(field('Device', `${name}: ${reason}`));
  const index = await openIndex();
  try {
    const { documents, elapsed } = await ingest(index);
    const { model, ranker } = await index.info();
    say(field('Models', `${model.name}, ${ranker}`));
    const speed = `ingested in ${duration(elapsed)}, ${count((documents / elapsed) * 1000)} a second`;
    say(
      field(
        'Collection',
        `${count(documents)} glosses of WordNet, ${elapsed > 0 ? speed : 'ingested before'}`,
      ),
    );
    say(field('Index', shownPath));
    if (positionals.length > 0) {
      await answer(index, positionals.join(' '));
    } else {
      await measure(index);
      showNextSteps();
    }
  } finally {
    await index.close();
  }
  say(style('dim', `\nDone in ${duration(performance.now() - started)}.`));
}

main().catch((error) => {
  if (!(error instanceof SeineError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
