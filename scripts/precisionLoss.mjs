/**
 * Measures what the precision of a ranker's matrices costs: NDCG@10 at f32, q8 and q4 over the fused 50 of graded job
 * queries (../shared/data/jobs, test), ordered by the ranker alone, and the difference to f32 with its 95 % interval. The
 * ranker is the directory of a model that opens from its weights, by default SmolLM2 asked by the prompt that comes
 * with Seine, which was not trained to rank: then only the differences tell something. Takes hours with
 * all queries.
 *   node scripts/precisionLoss.mjs [ranker] [queries = 1,473] [tokens of a document = 256] [finalists = 50]
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { open } from '../dist/index.js';
import { openCrossEncoder } from '../dist/models/crossEncoder.js';
import { compare } from '../dist/offline/evaluate/compare.js';
import { evaluate } from '../dist/offline/evaluate/evaluate.js';
import { readQrels } from '../dist/offline/evaluate/readQrels.js';
import { readQueries } from '../dist/offline/evaluate/readQueries.js';
import { trecOrder } from '../dist/offline/evaluate/trecOrder.js';
import { readJobs } from './jobs.mjs';

const PRECISIONS = ['f32', 'q8', 'q4'];
const METRIC = 'ndcg_exp@10';
const BATCH = 2048;

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const [ranker = '../shared/models/SmolLM2-135M-Instruct', ...numbers] = process.argv.slice(2);
const all = [...(await readQueries('../shared/data/jobs/queries.test.jsonl'))];
const [wanted = all.length, tokens = 256, depth = 50] = numbers.map(Number);
const qrels = await readQrels('../shared/data/jobs/qrels/test.tsv');
const count = Math.min(all.length, wanted);
const queries = Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]);

mkdirSync('.cache/bench', { recursive: true });
const postings = readJobs();
const texts = new Map(postings.map(({ id, title, text }) => [id, `${title}\n${text}`]));
const index = await open('.cache/bench/jobs.seine', { ranker: 'none' });
for (let first = 0; first < postings.length; first += BATCH) {
  await index.upsert(postings.slice(first, first + BATCH)); // those that are there already cost next to nothing
}
const lists = new Map();
for (const [id, text] of queries) {
  const { hits } = await index.search(text, { k: depth });
  lists.set(
    id,
    hits.map((hit) => hit.id),
  );
}
await index.close();

const judged = new Map(queries.map(([id]) => [id, qrels.get(id)]));
const evaluations = new Map();
for (const precision of PRECISIONS) {
  const model = await openCrossEncoder(ranker, { precision });
  const run = new Map();
  const began = performance.now();
  for (const [id, text] of queries) {
    const { texts: heads } = await model.heads(
      lists.get(id).map((posting) => texts.get(posting)),
      tokens,
    );
    const { scores } = await model.score(text, heads);
    run.set(id, trecOrder(lists.get(id).map((posting, i) => ({ id: posting, score: scores[i] }))));
  }
  await model.close();
  evaluations.set(precision, evaluate(run, judged, METRIC, { complete: true }));
  const mean = evaluations.get(precision).mean[METRIC];
  console.log(precision, mean.toFixed(4), `in ${((performance.now() - began) / 1000).toFixed(0)} s`);
}
const plain = evaluations.get('f32');
for (const precision of PRECISIONS.slice(1)) {
  const { mean, interval } = compare(evaluations.get(precision), plain).differences[METRIC];
  const share = ((100 * mean) / plain.mean[METRIC]).toFixed(2);
  console.log(
    `${precision} - f32: ${mean.toFixed(4)} [${[interval.low, interval.high].map((x) => x.toFixed(4)).join(', ')}], ${share} % of f32`,
  );
}
