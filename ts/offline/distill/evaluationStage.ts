import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomic } from '../../core/files.ts';
import type { Qrels, Run } from '../../core/types.ts';
import { openEncoder } from '../../models/encoder.ts';
import { readGrades, readItems, subjectsOf, type TextItem } from './collection.ts';
import { type ActionFigures, evaluateActions } from './evaluateActions.ts';
import { evaluateRanking, type RankingFigures, type RankingModels } from './evaluateRanking.ts';
import type { Scored } from './lexicalIndex.ts';
import { differenceOf, type Figure, figure, type Measure } from './measure.ts';
import { type Collection, type DistillRecipe, learnsActions } from './recipe.ts';
import type { Report } from './report.ts';
import { type Found, retrieve } from './retrieve.ts';
import { SPLITS, type Splits } from './splitStage.ts';
import type { Stage } from './stage.ts';
import { readVectors } from './vectorStage.ts';

/** Figures of one collection's test split: NDCG@10, gains 2^grade - 1. */
export interface CollectionFigures {
  collection: string;
  split: 'test';
  queries: number;
  /** Of exact search by the embedder, BM25, and both fused. */
  retrieval: { dense: Figure; bm25: Figure; fused: Figure };
  /** Of another embedder on the same, and the differences this one less that one. */
  against?: { dense: Figure; fused: Figure; difference: { dense: Figure; fused: Figure } };
  ranking?: RankingFigures;
  /** How an embedder that learns what users do tells it. */
  actions?: ActionFigures;
  /** The last stage's figure on queries whose subjects training queries had, and on the others. */
  subjects?: { seen: Figure; unseen: Figure };
}

export interface EvaluationOptions {
  /** Embedder that retrieves: the student, or the one that found the candidates. */
  embedder: { model: string; maxTokens: number | undefined; vectors: Record<string, string> };
  against?: { model: string; maxTokens: number | undefined; vectors: Record<string, string> } | undefined;
  /** What is ranked with, for a cross-encoder. */
  ranking?: RankingModels | undefined;
  /** Directory of the embedder's training. */
  student?: string | undefined;
  splits: string;
  measure: Measure;
  report: Report;
  signal: AbortSignal | undefined;
}

export const EVALUATION = 'evaluation.json';

/** Measures on the test splits: the only stage that reads their grades. */
export function evaluationStage(recipe: DistillRecipe, options: EvaluationOptions): Stage {
  const { embedder, against, ranking, student, splits, measure, report, signal } = options;
  const tested = recipe.collections.filter(({ test }) => test);
  const acting = learnsActions(recipe);
  const { relevance, engagement } = ranking ?? {};
  return {
    name: 'evaluation',
    options: {
      depth: recipe.candidates.depth,
      finalists: recipe.finalists,
      seed: recipe.seed,
      objectives: ranking?.objectives,
      actions: acting ? recipe.actions : undefined,
      collections: tested.map(({ name, clicks }) => ({ name, clicks })),
    },
    inputs: {
      splits,
      ...(ranking && { student: ranking.student, tuning: ranking.tuning }),
      ...(student !== undefined && acting && { student }),
      ...(relevance !== undefined && { relevance }),
      ...(engagement !== undefined && { engagement }),
      ...Object.fromEntries(
        tested.flatMap(({ name, corpus, test }) => [
          [`${name}.corpus`, corpus],
          [`${name}.queries`, test!.queries],
          [`${name}.qrels`, test!.qrels],
          [`${name}.vectors`, embedder.vectors[name]!],
          ...(against ? [[`${name}.against`, against.vectors[name]!]] : []),
        ]),
      ),
    },
    async run(directory) {
      const known: Splits = JSON.parse(await readFile(join(splits, SPLITS), 'utf8'));
      const all: CollectionFigures[] = [];
      for (const collection of tested) {
        const { name, corpus, test } = collection;
        const documents = await readItems(corpus);
        const qrels = await readGrades(test!.qrels);
        const queries = (await readItems(test!.queries)).filter(({ id }) => isAnswerable(qrels.get(id)));
        const judged: Qrels = new Map(queries.map(({ id }) => [id, qrels.get(id)!]));
        const found = await search(embedder, name);
        const runs = runsOf(found, queries, documents);
        const values = {
          dense: measure.ndcg(runs.dense, judged),
          bm25: measure.ndcg(runs.bm25, judged),
          fused: measure.ndcg(runs.fused, judged),
        };
        const figures: CollectionFigures = {
          collection: name,
          split: 'test',
          queries: queries.length,
          retrieval: {
            dense: figureOf(values.dense),
            bm25: figureOf(values.bm25),
            fused: figureOf(values.fused),
          },
        };
        if (against) {
          const others = runsOf(await search(against, name), queries, documents);
          const [dense, fused] = [others.dense, others.fused].map((run) => measure.ndcg(run, judged));
          figures.against = {
            dense: figureOf(dense!),
            fused: figureOf(fused!),
            difference: {
              dense: differenceOf(values.dense, dense!, measure),
              fused: differenceOf(values.fused, fused!, measure),
            },
          };
        }
        if (student !== undefined && acting && collection.clicks) {
          // Pages of the words alone, the same whatever the embedder is.
          const input = { collection, documents, queries, judged, found: found.map(({ bm25 }) => bm25) };
          figures.actions = await evaluateActions(recipe, input, {
            model: embedder.model,
            maxTokens: embedder.maxTokens,
            vectors: await readVectors(embedder.vectors[name]!),
            measure,
            signal,
          });
        }
        let last = values.dense;
        if (ranking) {
          const input = { collection, documents, queries, judged, found: found.map(({ fused }) => fused) };
          const ranked = await evaluateRanking(directory, recipe, input, { ...options, ranking });
          figures.ranking = ranked.figures;
          last = ranked.blended;
        }
        const subjects = bySubject(collection, queries, new Set(known[name]!.heldOut), last);
        if (subjects) figures.subjects = subjects;
        all.push(figures);

        async function search(by: EvaluationOptions['embedder'], of: string): Promise<Found[]> {
          const encoder = await openEncoder(by.model, { maxTokens: by.maxTokens });
          try {
            report('collections', all.length, tested.length, `${of}, ${encoder.name}`);
            const vectors = await readVectors(by.vectors[of]!);
            const { depth } = recipe.candidates;
            return await retrieve(documents, queries, { vectors, encoder, depth, signal });
          } finally {
            await encoder.close();
          }
        }
      }
      await writeAtomic(join(directory, EVALUATION), `${JSON.stringify(all, null, 1)}\n`);
    },
  };

  function figureOf(values: ReadonlyMap<string, number>): Figure {
    return figure([...values.values()], measure);
  }

  function bySubject(
    { subject }: Collection,
    queries: readonly TextItem[],
    heldOut: ReadonlySet<string>,
    values: ReadonlyMap<string, number>,
  ): CollectionFigures['subjects'] {
    const isUnseen = (query: TextItem): boolean =>
      subjectsOf(query, subject?.query).some((one) => heldOut.has(one));
    const of = (some: readonly TextItem[]) =>
      figure(
        some.map(({ id }) => values.get(id)!),
        measure,
      );
    const unseen = queries.filter(isUnseen);
    if (unseen.length === 0 || unseen.length === queries.length) return undefined;
    return { seen: of(queries.filter((query) => !isUnseen(query))), unseen: of(unseen) };
  }
}

const isAnswerable = (grades: ReadonlyMap<string, number> | undefined): boolean =>
  grades !== undefined && [...grades.values()].some((grade) => grade > 0);

/** What was found as runs. */
function runsOf(
  found: readonly Found[],
  queries: readonly TextItem[],
  documents: readonly TextItem[],
): { dense: Run; bm25: Run; fused: Run } {
  const run = (listOf: (one: Found) => readonly Scored[]): Run =>
    new Map(
      found.map((one, i) => [
        queries[i]!.id,
        listOf(one).map(({ document, score }) => ({ id: documents[document]!.id, score })),
      ]),
    );
  return {
    dense: run(({ dense }) => dense),
    bm25: run(({ bm25 }) => bm25),
    fused: run(({ fused }) => fused),
  };
}
