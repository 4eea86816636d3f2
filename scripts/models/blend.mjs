// Chooses the weight of seine-rank-small beside the retrieval score, on dev queries of jobs, WordNet, ESCO, O*NET and CLINC,
// and writes it to its seine.json: node scripts/models/blend.mjs [queries of a collection = 120]
import { fileURLToPath } from 'node:url';
import { writeAtomic } from '../../dist/core/files.js';
import { random } from '../../dist/core/random.js';
import { openCrossEncoder } from '../../dist/models/crossEncoder.js';
import { openEncoder } from '../../dist/models/encoder.js';
import { blended, chooseBlend } from '../../dist/offline/distill/blend.js';
import { readGrades, readItems } from '../../dist/offline/distill/collection.js';
import { retrieve } from '../../dist/offline/distill/retrieve.js';
import { evaluate } from '../../dist/offline/evaluate/evaluate.js';

process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
const RANKER = 'seine-rank-small';
const FOLDERS = {
  jobs: '../shared/data/jobs',
  ...Object.fromEntries(
    ['wordnet', 'esco', 'onet', 'clinc'].map((name) => [name, `.cache/collections/${name}`]),
  ),
};
const [MAX_TOKENS, DEPTH, FINALISTS] = [256, 100, 50];
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
  const documents = await readItems(`${folder}/corpus.jsonl`);
  const qrels = await readGrades(`${folder}/qrels/dev.tsv`);
  const relevant = (await readItems(`${folder}/queries.dev.jsonl`)).filter(({ id }) =>
    [...(qrels.get(id)?.values() ?? [])].some((grade) => grade > 0),
  );
  const queries = random(1).shuffle(relevant).slice(0, most);
  const texts = documents.map(({ text }) => text);
  const { vectors } = await encoder.encode(texts, { kind: 'document' });
  const found = await retrieve(documents, queries, { vectors, encoder, depth: DEPTH });
  for (const [i, { fused }] of found.entries()) {
    const top = fused.slice(0, FINALISTS);
    const pages = top.map(({ document }) => texts[document]);
    const query = `${collection} ${queries[i].id}`;
    judged.set(query, qrels.get(queries[i].id));
    finalists.push({
      query,
      collection,
      documents: top.map(({ document }) => documents[document].id),
      retrieval: top.map(({ score }) => score),
      ranker: [...(await ranker.score(queries[i].text, pages)).scores],
    });
  }
  const own = finalists.filter((one) => one.collection === collection);
  const grades = new Map(own.map(({ query }) => [query, judged.get(query)]));
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
