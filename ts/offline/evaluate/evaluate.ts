import { SeineError, show } from '../../core/errors.ts';
import type { Qrels, Run } from '../../core/types.ts';
import { parseMetrics } from './metrics.ts';
import { rankedGrades } from './rankedGrades.ts';

export interface Evaluation {
  /** Names, in the order in which they were asked for. */
  metrics: string[];
  /** Query id -> metric -> value. */
  queries: Map<string, Record<string, number>>;
  /** Metric -> mean over `queries`. */
  mean: Record<string, number>;
  /** Queries with judgements for which the run has no results. */
  missing: string[];
  /** Queries of the run without judgements: never counted. */
  unjudged: string[];
}

export interface EvaluateOptions {
  /** Counts `missing` queries as 0 in every metric, like trec_eval -c. Otherwise they are left out, like trec_eval. */
  complete?: boolean | undefined;
}

/**
 * Scores a run, whose documents come best first, by relevance grades. `metrics` is a list such as
 * `ndcg@10,map` (see `parseMetrics`).
 * @throws ERR_ARGUMENT for an unknown metric; ERR_DATA if no query of the run has judgements.
 */
export function evaluate(run: Run, qrels: Qrels, metrics: string, options: EvaluateOptions = {}): Evaluation {
  const parsed = parseMetrics(metrics);
  const queries = new Map<string, Record<string, number>>();
  const missing: string[] = [];
  for (const [query, judgements] of qrels) {
    const entries = run.get(query) ?? [];
    if (entries.length === 0) missing.push(query);
    if (entries.length === 0 && !options.complete) continue;
    const ranking = rankedGrades(entries, judgements);
    queries.set(query, Object.fromEntries(parsed.map(({ name, compute }) => [name, compute(ranking)])));
  }
  if (missing.length === qrels.size) {
    throw new SeineError(
      'ERR_DATA',
      'Expected a run and relevance grades of the same queries, got a run of queries like ' +
        `${show(run.keys().next().value)} and grades of queries like ${show(qrels.keys().next().value)}; ` +
        'check that the two files belong together.',
    );
  }
  const names = parsed.map(({ name }) => name);
  const mean = Object.fromEntries(names.map((name) => [name, meanOf(valuesOf(queries, name))]));
  const unjudged = [...run.keys()].filter((query) => !qrels.has(query));
  return { metrics: names, queries, mean, missing, unjudged };
}

/** One metric's values `[queries]`, in the order of the map. */
export function valuesOf(queries: Map<string, Record<string, number>>, metric: string): Float64Array {
  return Float64Array.from(queries.values(), (values) => values[metric]!);
}

export function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
