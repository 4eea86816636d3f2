import type { Qrels, Run } from '../../core/types.ts';
import { type Measure, mean } from './measure.ts';

/** A query's finalists with both scores, best retrieval score first. */
export interface Finalists {
  query: string;
  /** Ids. */
  documents: string[];
  retrieval: number[];
  ranker: number[];
}

/** Finalists as a run, by z-scores: `blend` of the ranker's, the rest of retrieval's, as in a search. */
export function blended(finalists: readonly Finalists[], blend: number): Run {
  return new Map(
    finalists.map(({ query, documents, retrieval, ranker }) => {
      const [a, b] = [standardized(ranker), standardized(retrieval)];
      const scores = documents.map((_, i) => blend * a[i]! + (1 - blend) * b[i]!);
      const order = documents.map((_, i) => i).sort((i, j) => scores[j]! - scores[i]! || i - j);
      return [query, order.map((i) => ({ id: documents[i]!, score: scores[i]! }))];
    }),
  );
}

/**
 * The smallest of the weights 0, 0.05, … 1 whose mean NDCG@10 lies less than one standard error (of the paired difference)
 * below the best: queries for tuning resemble the training more than later ones will, so a tie goes to retrieval.
 */
export function chooseBlend(
  finalists: readonly Finalists[],
  qrels: Qrels,
  measure: Measure,
): { blend: number; ndcg: number } {
  const curve = Array.from({ length: 21 }, (_, step) => {
    const values = [...measure.ndcg(blended(finalists, step / 20), qrels).values()];
    return { blend: step / 20, values, ndcg: mean(values) };
  });
  const best = curve.reduce((a, b) => (b.ndcg > a.ndcg ? b : a));
  const near = curve.find(({ values }) => {
    const differences = best.values.map((value, i) => value - values[i]!);
    const centre = mean(differences);
    const variance = mean(differences.map((value) => (value - centre) ** 2));
    return centre <= Math.sqrt(variance / values.length);
  })!;
  return { blend: near.blend, ndcg: near.ndcg };
}

function standardized(values: readonly number[]): number[] {
  const centre = mean(values);
  const deviation = Math.sqrt(mean(values.map((value) => (value - centre) ** 2)));
  return values.map((value) => (deviation > 0 ? (value - centre) / deviation : 0));
}
