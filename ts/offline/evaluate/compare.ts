import { SeineError } from '../../core/errors.ts';
import { bootstrap, type Interval } from './bootstrap.ts';
import { type Evaluation, meanOf } from './evaluate.ts';
import { randomization } from './randomization.ts';

/** How a run differs from another in one metric; differences are this run minus the other. */
export interface Difference {
  mean: number;
  /** 95 %, bootstrap over queries. */
  interval: Interval;
  /** Two-sided, paired randomisation test; not corrected for the number of metrics. */
  p: number;
  /** Whether p counts all assignments of signs. */
  exact: boolean;
  /** Queries in which this run is better, worse, equal. */
  better: number;
  worse: number;
  equal: number;
}

export interface Comparison {
  /** Queries of both evaluations: only they are compared. */
  queries: string[];
  /** Metric -> difference. */
  differences: Record<string, Difference>;
}

/**
 * Compares two evaluations in the same metrics, query by query.
 * @throws ERR_DATA if they have no query in common.
 */
export function compare(run: Evaluation, against: Evaluation, seed = 0): Comparison {
  const queries = [...run.queries.keys()].filter((query) => against.queries.has(query));
  if (queries.length === 0) {
    throw new SeineError(
      'ERR_DATA',
      'Expected two runs with judged queries in common, got none; check that both runs are of the same queries.',
    );
  }
  const columns = run.metrics.map((metric) => differencesIn(run, against, metric, queries));
  const intervals = bootstrap(columns, seed);
  const differences = run.metrics.map((metric, m): [string, Difference] => {
    const column = columns[m]!;
    return [
      metric,
      {
        mean: meanOf(column),
        interval: intervals[m]!,
        ...randomization(column, seed),
        better: column.filter((difference) => difference > 0).length,
        worse: column.filter((difference) => difference < 0).length,
        equal: column.filter((difference) => difference === 0).length,
      },
    ];
  });
  return { queries, differences: Object.fromEntries(differences) };
}

/** One metric's differences `[queries]`, in the order of `queries`. */
export function differencesIn(
  run: Evaluation,
  against: Evaluation,
  metric: string,
  queries: string[],
): Float64Array {
  return Float64Array.from(
    queries,
    (query) => run.queries.get(query)![metric]! - against.queries.get(query)![metric]!,
  );
}
