// Chooses the weight of seine-rank-small beside the retrieval score, on dev queries of jobs, WordNet, ESCO, O*NET and CLINC,
// and writes it to its seine.json: node scripts/models/blend.mjs [queries of a collection = 120]
import { fileURLToPath } from 'node:url';
import { writeAtomic } from '../../dist/core/files.js';
import { openCrossEncoder } from '../../dist/models/crossEncoder.js';
import { openEncoder } from '../../dist/models/encoder.js';
import { blended, chooseBlend } from '../../dist/offline/distill/blend.js';
import { retrieve } from '../../dist/offline/distill/retrieve.js';
import { evaluate } from '../../dist/offline/evaluate/evaluate.js';
import { drawn, finalistsOf } from './finalists.mjs';

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
const RANKER = 'seine-rank-small';
const FOLDERS = {
  jobs: '../shared/data/jobs',
  ...Object.fromEntries(
    ['wordnet', 'esco', 'onet', 'clinc'].map((name) => [name, `.cache/collections/${name}`]),
  ),
};
const [MAX_TOKENS, DEPTH] = [256, 100];
const most = Number(process.argv[2] ?? 120);
const encoder = await openEncoder('seine-embed-small', { maxTokens: MAX_TOKENS });
const ranker = await openCrossEncoder(RANKER);
const measure = {
  ndcg(run, qrels) {
    const { queries } = evaluate(run, qrels, 'ndcg_exp@10', { complete: true });
    return new Map(Array.from(queries, ([query, values]) => [query, values['ndcg_exp@10']]));
  },
};
const finalists = [];
const judged = new Map();
for (const [collection, folder] of Object.entries(FOLDERS)) {
  const read = await drawn(folder, 'dev', most);
  const texts = read.documents.map(({ text }) => text);
  const { vectors } = await encoder.encode(texts, { kind: 'document' });
  const found = await retrieve(read.documents, read.queries, { vectors, encoder, depth: DEPTH });
  // Collections may name their queries alike.
  const named = (id) => `${collection} ${id}`;
  const own = (await finalistsOf(collection, read, found, ranker)).map((one) => ({
    ...one,
    query: named(one.query),
  }));
  const grades = new Map([...read.judged].map(([id, ofQuery]) => [named(id), ofQuery]));
  finalists.push(...own);
  for (const [query, ofQuery] of grades) judged.set(query, ofQuery);
  const curve = Array.from({ length: 21 }, (_, step) => {
    const values = [...measure.ndcg(blended(own, step / 20), grades).values()];
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return `${(step / 20).toFixed(2)}: ${mean.toFixed(4)}`;
  });
  console.log(`${collection}, ${own.length} dev queries\n  ${curve.join(', ')}`);
}
await encoder.close();
await ranker.close();
const { blend, ndcg } = chooseBlend(finalists, judged, measure);
console.log(`Weight ${blend}: NDCG@10 ${ndcg.blended.toFixed(4)}, ${ndcg.fused.toFixed(4)} without`);
await writeAtomic(`models/${RANKER}/seine.json`, `${JSON.stringify({ blend }, null, 2)}\n`);
