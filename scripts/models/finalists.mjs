// What scripts/models/blend.mjs and measure.mjs rank: drawn queries of a split, and what retrieval finds for them.
import { existsSync } from 'node:fs';
import { random } from '../../dist/core/random.js';
import { readGrades, readItems } from '../../dist/offline/distill/collection.js';

export const FINALISTS = 50;

/** Documents of a collection, at most so many queries of a split that have a relevant one, drawn, and their grades. */
export async function drawn(folder, split, most) {
  if (!existsSync(folder)) throw new Error(`${folder} should be there: run scripts/models/collections.mjs`);
  const documents = await readItems(`${folder}/corpus.jsonl`);
  const qrels = await readGrades(`${folder}/qrels/${split}.tsv`);
  const relevant = (await readItems(`${folder}/queries.${split}.jsonl`)).filter(({ id }) =>
    [...(qrels.get(id)?.values() ?? [])].some((grade) => grade > 0),
  );
  const queries = random(1).shuffle(relevant).slice(0, most);
  return { documents, queries, judged: new Map(queries.map(({ id }) => [id, qrels.get(id)])) };
}

/** The first of each query's fused candidates, with both scores; `collection` is whose they are. */
export async function finalistsOf(collection, { documents, queries }, found, ranker) {
  const finalists = [];
  for (const [i, { fused }] of found.entries()) {
    const top = fused.slice(0, FINALISTS);
    const texts = top.map(({ document }) => documents[document].text);
    finalists.push({
      query: queries[i].id,
      collection,
      documents: top.map(({ document }) => documents[document].id),
      retrieval: top.map(({ score }) => score),
      ranker: [...(await ranker.score(queries[i].text, texts)).scores],
    });
  }
  return finalists;
}
