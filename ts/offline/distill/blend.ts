import { meanAndDeviation } from '../../core/meanAndDeviation.ts';
import type { Qrels, Run } from '../../core/types.ts';
import { type Measure, mean } from './measure.ts';

/** A query's finalists with both scores, best retrieval score first. */
export interface Finalists {
  query: string;
  collection: string;
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
 * The smallest of the weights 0, 0.05, … 1 whose mean NDCG@10 over the collections lies less than one standard error (of
 * the paired difference) below the best: queries for tuning resemble the training more than later ones will, so a tie
 * goes to retrieval. Weights with which one of the collections lies more than its standard error below retrieval alone
 * are out: what helps one collection may not harm another.
 */
export function chooseBlend(
  finalists: readonly Finalists[],
  qrels: Qrels,
  measure: Measure,
): { blend: number; ndcg: { blended: number; fused: number } } {
  const parts = [...new Set(finalists.map(({ collection }) => collection))].map((collection) => {
    const own = finalists.filter((one) => one.collection === collection);
    const judged: Qrels = new Map(own.map(({ query }) => [query, qrels.get(query)!]));
    return { own, judged };
  });
  const curve = Array.from({ length: 21 }, (_, step) => {
    const blend = step / 20;
    const values = parts.map(({ own, judged }) => [...measure.ndcg(blended(own, blend), judged).values()]);
    return { blend, values, ndcg: mean(values.map(mean)) };
  });
  const differences = (a: number[][], b: number[][]): Difference[] =>
    a.map((values, part) => difference(values.map((value, i) => value - b[part]![i]!)));
  const harmless = curve.filter(({ values }) =>
    differences(values, curve[0]!.values).every(({ centre, error }) => centre >= -error),
  );
  const best = harmless.reduce((a, b) => (b.ndcg > a.ndcg ? b : a));
  const near = harmless.find(({ values }) => {
    const all = differences(best.values, values);
    const error = Math.sqrt(all.reduce((sum, one) => sum + one.error ** 2, 0)) / all.length;
    return mean(all.map(({ centre }) => centre)) <= error;
  })!;
  return { blend: near.blend, ndcg: { blended: near.ndcg, fused: curve[0]!.ndcg } };
}

interface Difference {
  centre: number;
  /** Standard error of the centre. */
  error: number;
}

function difference(values: readonly number[]): Difference {
  const centre = mean(values);
  const variance = mean(values.map((value) => (value - centre) ** 2));
  return { centre, error: Math.sqrt(variance / values.length) };
}

function standardized(values: readonly number[]): number[] {
  const { mean: centre, deviation } = meanAndDeviation(values);
  return values.map((value) => (deviation > 0 ? (value - centre) / deviation : 0));
}
