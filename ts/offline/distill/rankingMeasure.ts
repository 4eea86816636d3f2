import { random } from '../../core/random.ts';
import type { Qrels } from '../../core/types.ts';
import type { CrossEncoder } from '../../models/crossEncoder.ts';
import type { TextItem } from './collection.ts';
import type { Scored } from './lexicalIndex.ts';

/** What ranking one query needs: finalists with both scores and grades, best retrieval score first. */
export interface RankedQuery {
  retrieval: number[];
  ranker: number[];
  grades: number[];
  /** DCG@10 of the best possible order of all judged documents. */
  ideal: number;
}

/** Scores the first `depth` candidates of each query with a ranker; queries without a relevant document are left out. */
export async function rankFinalists(
  ranker: CrossEncoder,
  documents: readonly TextItem[],
  queries: readonly TextItem[],
  candidates: readonly (readonly Scored[])[],
  qrels: Qrels,
  depth: number,
): Promise<RankedQuery[]> {
  const ranked: RankedQuery[] = [];
  for (const [i, query] of queries.entries()) {
    const grades = qrels.get(query.id) ?? new Map<string, number>();
    const ideal = dcg([...grades.values()].sort((a, b) => b - a));
    if (ideal === 0) continue;
    const finalists = candidates[i]!.slice(0, depth);
    const { scores } = await ranker.score(
      query.text,
      finalists.map(({ document }) => documents[document]!.text),
    );
    ranked.push({
      retrieval: finalists.map(({ score }) => score),
      ranker: Array.from(scores),
      grades: finalists.map(({ document }) => grades.get(documents[document]!.id) ?? 0),
      ideal,
    });
  }
  return ranked;
}

/** NDCG@10 of each query, gains 2^grade - 1, after blending z-scores: `blend` of the ranker, the rest of retrieval. */
export function blendedNdcg(queries: readonly RankedQuery[], blend: number): number[] {
  return queries.map(({ retrieval, ranker, grades, ideal }) => {
    const a = standardized(ranker);
    const b = standardized(retrieval);
    const order = grades.map((_, i) => i);
    const score = (i: number): number => blend * a[i]! + (1 - blend) * b[i]!;
    order.sort((i, j) => score(j) - score(i) || i - j);
    return dcg(order.map((i) => grades[i]!)) / ideal;
  });
}

/** NDCG@10 of each query's list of documents; 0 for a query without a relevant document. */
export function ndcgOf(
  lists: readonly (readonly Scored[])[],
  documents: readonly TextItem[],
  queries: readonly TextItem[],
  qrels: Qrels,
): number[] {
  return lists.map((list, i) => {
    const grades = qrels.get(queries[i]!.id) ?? new Map<string, number>();
    const ideal = dcg([...grades.values()].sort((a, b) => b - a));
    return ideal > 0 ? dcg(list.map(({ document }) => grades.get(documents[document]!.id) ?? 0)) / ideal : 0;
  });
}

/**
 * The smallest of the blend weights 0, 0.05, … 1 whose mean NDCG@10 lies less than one standard error (of the paired
 * difference) below the best: queries for tuning resemble the training more than later ones will, so a tie goes to the
 * retrieval score.
 */
export function chooseBlend(queries: readonly RankedQuery[]): { blend: number; ndcg: number } {
  const curve = Array.from({ length: 21 }, (_, step) => {
    const values = blendedNdcg(queries, step / 20);
    return { blend: step / 20, values, ndcg: mean(values) };
  });
  const best = curve.reduce((a, b) => (b.ndcg > a.ndcg ? b : a));
  const near = curve.find(({ values }) => {
    const differences = best.values.map((value, i) => value - values[i]!);
    const centre = mean(differences);
    const variance = mean(differences.map((value) => (value - centre) ** 2));
    return centre <= Math.sqrt(variance / queries.length);
  });
  const { blend, ndcg } = near ?? best;
  return { blend, ndcg };
}

/** Mean of differences by query with a 95 % bootstrap interval over queries. */
export function meanWithInterval(differences: readonly number[]): {
  mean: number;
  low: number;
  high: number;
} {
  const generator = random(1);
  const means = Array.from({ length: 5000 }, () => {
    let sum = 0;
    for (let i = 0; i < differences.length; i++) sum += differences[generator.below(differences.length)]!;
    return sum / differences.length;
  }).sort((a, b) => a - b);
  return { mean: mean(differences), low: means[125]!, high: means[4874]! };
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function dcg(grades: readonly number[]): number {
  return grades
    .slice(0, 10)
    .reduce((sum, grade, rank) => sum + (2 ** Math.max(grade, 0) - 1) / Math.log2(rank + 2), 0);
}

function standardized(values: readonly number[]): number[] {
  const centre = mean(values);
  const deviation = Math.sqrt(mean(values.map((value) => (value - centre) ** 2)));
  return values.map((value) => (deviation > 0 ? (value - centre) / deviation : 0));
}
