import type { Qrels, Run } from '../../core/types.ts';

/** What the stages measure by: `seine evaluate`'s own figures. */
export interface Measure {
  /** NDCG@10 of each judged query, gains 2^grade - 1; 0 for a query without results. */
  ndcg(run: Run, qrels: Qrels): Map<string, number>;
  /** 95 % bootstrap interval over queries of the mean. */
  interval(values: readonly number[]): { low: number; high: number };
}

export interface Figure {
  mean: number;
  low: number;
  high: number;
  /** Queries. */
  count: number;
}

/** Mean with its interval. */
export function figure(values: readonly number[], { interval }: Measure): Figure {
  return { mean: mean(values), ...interval(values), count: values.length };
}

/** Figure of the differences, query by query. */
export function differenceOf(
  values: ReadonlyMap<string, number>,
  against: ReadonlyMap<string, number>,
  measure: Measure,
): Figure {
  return figure(
    Array.from(values, ([query, value]) => value - against.get(query)!),
    measure,
  );
}

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
