/**
 * Measures what ranking depth buys: NDCG@10 by depth of graded job queries (../shared/data/jobs, dev), with the models
 * that come with Seine, retrieval fused. Writes test/serve/depth/quality.json, which the simulation of the depth
 * controller reads. Takes some minutes.
 *   node scripts/depthQuality.mjs [queries = 600]
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { open } from '../dist/index.js';
import { evaluate } from '../dist/offline/evaluate/evaluate.js';
import { readQrels } from '../dist/offline/evaluate/readQrels.js';
import { readQueries } from '../dist/offline/evaluate/readQueries.js';
import { rank } from '../dist/online/rank/rank.js';
import { readJobs } from './jobs.mjs';

const DEPTHS = [0, 5, 10, 15, 20, 30, 40, 50, 65, 80, 100];
const DEEPEST = DEPTHS.at(-1);
const METRIC = 'ndcg_exp@10';
const BATCH = 2048;

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const { blend } = JSON.parse(readFileSync('models/seine-rank-small/seine.json', 'utf8'));
const all = [...(await readQueries('../shared/data/jobs/queries.dev.jsonl'))];
const qrels = await readQrels('../shared/data/jobs/qrels/dev.tsv');
const wanted = Math.min(all.length, Number(process.argv[2] ?? 600));
const queries = Array.from({ length: wanted }, (_, i) => all[Math.floor((i * all.length) / wanted)]);

mkdirSync('.cache/bench', { recursive: true });
const index = await open('.cache/bench/jobs.seine');
const postings = readJobs();
for (let first = 0; first < postings.length; first += BATCH) {
  await index.upsert(postings.slice(first, first + BATCH));
}

/** The ten best at each depth. One pass of the ranker serves all: a logit depends on its own pair only. */
async function tenBest(text) {
  const { hits } = await index.search(text, { k: DEEPEST, depth: 0 });
  const ranked = await index.search(text, { k: DEEPEST, depth: DEEPEST });
  const logits = new Map(ranked.hits.map((hit) => [hit.id, hit.scores.ranker]));
  const score = async (_, ids) => ({
    scores: Float32Array.from(ids, (id) => logits.get(id)),
    scored: ids.length,
    truncated: ids.map(() => false),
  });
  return Promise.all(
    DEPTHS.map(async (depth) => {
      const head = hits.slice(0, depth).map((hit) => ({ text: hit.id, retrieval: hit.score }));
      const order = head.length > 0 ? (await rank(text, head, { blend, score }, {})).order : [];
      const ids = [...order.map((place) => hits[place].id), ...hits.slice(head.length).map(({ id }) => id)];
      return ids.slice(0, 10).map((id, i) => ({ id, score: -i }));
    }),
  );
}

const runs = DEPTHS.map(() => new Map());
for (const [id, text] of queries) {
  for (const [d, best] of (await tenBest(text)).entries()) runs[d].set(id, best);
}
await index.close();

const judged = new Map(queries.map(([id]) => [id, qrels.get(id)]));
const evaluations = runs.map((run) => evaluate(run, judged, METRIC, { complete: true }));
for (const [d, { mean }] of evaluations.entries()) console.log(DEPTHS[d], mean[METRIC].toFixed(4));
const rows = queries.map(([id]) => evaluations.map((of) => Number(of.queries.get(id)[METRIC].toFixed(4))));
writeFileSync(
  'test/serve/depth/quality.json',
  `{\n  "command": "node scripts/depthQuality.mjs ${wanted}",\n  "metric": "${METRIC}",\n  "blend": ${blend},\n` +
    `  "depths": [${DEPTHS.join(', ')}],\n  "queries": [\n` +
    `${rows.map((row) => `    [${row.join(', ')}]`).join(',\n')}\n  ]\n}\n`,
);
