import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { random } from '../../core/random.ts';
import type { Qrels } from '../../core/types.ts';
import { openCrossEncoder } from '../../models/crossEncoder.ts';
import { pagesOf } from './actionStage.ts';
import { auc } from './auc.ts';
import { blended, type Finalists } from './blend.ts';
import { drawImpressions } from './clickModel.ts';
import type { TextItem } from './collection.ts';
import type { Scored } from './lexicalIndex.ts';
import { differenceOf, type Figure, figure, type Measure } from './measure.ts';
import type { Collection, DistillRecipe } from './recipe.ts';
import type { Report } from './report.ts';
import { scorePages } from './scorePages.ts';
import { modelIn } from './trainStage.ts';
import { TUNING, type Tuning } from './tuningStage.ts';

/** What ranking the finalists does, NDCG@10. */
export interface RankingFigures {
  finalists: number;
  blend: number;
  /** The finalists as retrieval ordered them. */
  fused: Figure;
  /** By the student's score alone, and blended with retrieval's. */
  alone: Figure;
  blended: Figure;
  /** Blended less fused. */
  gain: Figure;
  /** By the relevance teacher's score alone. */
  relevanceTeacher?: Figure;
  /** Area under the ROC curve of what was done on shuffled test pages, by action; with the engagement teacher's. */
  auc?: Record<string, { student: number; teacher: number | undefined; fused: number; events: number }>;
}

export interface RankingInput {
  collection: Collection;
  documents: readonly TextItem[];
  queries: readonly TextItem[];
  judged: Qrels;
  /** Fused lists by query. */
  found: readonly (readonly Scored[])[];
}

/** Directories of the stages that made what is ranked with. */
export interface RankingModels {
  student: string;
  tuning: string;
  relevance?: string | undefined;
  engagement?: string | undefined;
  objectives: readonly string[];
}

export interface RankingOptions {
  ranking: RankingModels;
  measure: Measure;
  report: Report;
  signal: AbortSignal | undefined;
}

/** Ranks the finalists of test queries by the student and its teachers. */
export async function evaluateRanking(
  directory: string,
  recipe: DistillRecipe,
  { collection, documents, queries, judged, found }: RankingInput,
  { ranking, measure, report, signal }: RankingOptions,
): Promise<{ figures: RankingFigures; blended: Map<string, number> }> {
  const { student, tuning: tuned, relevance, engagement, objectives } = ranking;
  const tuning: Tuning = JSON.parse(await readFile(join(tuned, TUNING), 'utf8'));
  const asked = queries.map((query, i) => ({
    query,
    documents: found[i]!.slice(0, recipe.finalists).map(({ document }) => document),
  }));
  const scored = async (name: string, model: string, objective?: string): Promise<number[][]> => {
    const folder = join(directory, `${collection.name}-${name}`);
    await mkdir(folder, { recursive: true });
    const ranker = await openCrossEncoder(modelIn(model), objective === undefined ? {} : { objective });
    try {
      const note = `${collection.name}, ${name}`;
      const onDone = (done: number, total: number) => report('queries', done, total, note);
      return await scorePages(folder, ranker, asked, documents, { signal, onDone });
    } finally {
      await ranker.close();
    }
  };
  const finalistsBy = (scores: readonly number[][]): Finalists[] =>
    queries.map(({ id }, i) => ({
      query: id,
      collection: collection.name,
      documents: asked[i]!.documents.map((index) => documents[index]!.id),
      retrieval: found[i]!.slice(0, recipe.finalists).map(({ score }) => score),
      ranker: scores[i]!,
    }));
  const many = objectives.length > 1;
  const byStudent = finalistsBy(await scored('student', student, many ? objectives[0] : undefined));
  const ndcg = (finalists: Finalists[], blend: number) => measure.ndcg(blended(finalists, blend), judged);
  const [fused, alone, both] = [0, 1, tuning.blend].map((blend) => ndcg(byStudent, blend));
  const of = (values: ReadonlyMap<string, number>) => figure([...values.values()], measure);
  const figures: RankingFigures = {
    finalists: recipe.finalists,
    blend: tuning.blend,
    fused: of(fused!),
    alone: of(alone!),
    blended: of(both!),
    gain: differenceOf(both!, fused!, measure),
  };
  if (relevance !== undefined) {
    figures.relevanceTeacher = of(ndcg(finalistsBy(await scored('relevance', relevance)), 1));
  }
  if (collection.clicks && many) {
    // Pages in any order: what is done on them says nothing of positions.
    const model = { ...collection.clicks, shuffled: 1 };
    const pages = pagesOf(
      queries.map(({ id }, i) => ({ query: id, found: [...found[i]!] })),
      documents,
      judged,
      model,
    );
    const done = drawImpressions(pages, model, random(recipe.seed + 2));
    const place = new Map(queries.map(({ id }, i) => [id, i]));
    const at = (scores: readonly number[][]) =>
      done.map(({ query, document }) => {
        const i = place.get(query)!;
        return scores[i]![asked[i]!.documents.findIndex((index) => documents[index]!.id === document)]!;
      });
    const views = done.map(({ shown }) => shown);
    figures.auc = {};
    for (const action of objectives.slice(1)) {
      const happened = done.map(({ actions }) => actions[action] ?? 0);
      const events = happened.reduce((sum, value) => sum + value, 0);
      if (events === 0) continue;
      const area = (scores: readonly number[][]): number => auc(at(scores), happened, views);
      const ofTeacher = objectives.length > 2 ? action : undefined;
      figures.auc[action] = {
        student: area(await scored(action, student, action)),
        teacher:
          engagement === undefined
            ? undefined
            : area(await scored(`engagement-${action}`, engagement, ofTeacher)),
        fused: area(found.map((list) => list.map(({ score }) => score))),
        events,
      };
    }
  }
  await removeParts(directory, collection.name);
  return { figures, blended: both! };
}

/** Scores are kept until the collection is done: the figures are what stays. */
async function removeParts(directory: string, name: string): Promise<void> {
  for (const entry of await readdir(directory)) {
    if (entry.startsWith(`${name}-`)) await rm(join(directory, entry), { recursive: true });
  }
}
