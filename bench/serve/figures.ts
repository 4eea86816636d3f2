import type { LoadOutcome } from './load.ts';

/** The value that `share` of `values` do not exceed (nearest rank); NaN of none. */
export function quantile(values: number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** What a stretch of load came to. Latencies are of answers with status 200, in milliseconds. */
export interface LoadFigures {
  /** Requests a second that were due. */
  offered: number;
  /** Answers with status 200 a second. */
  served: number;
  requests: number;
  median: number;
  p90: number;
  p99: number;
  /** Share of 429. */
  shed: number;
  /** Share of 503: the deadline passed while waiting. */
  late: number;
  /** Share of everything else, and of requests without an answer. */
  failed: number;
  /** Whether every 429 and 503 said when to try again. */
  retryAfter: boolean;
  /** Documents ranked for an answer, on average. */
  ranked: number;
  /** P99 of how late the client itself sent. */
  clientLateP99: number;
}

const isServed = ({ status }: LoadOutcome): boolean => status === 200;

/** Of answers with status 200, in milliseconds. */
export function servedLatencies(outcomes: LoadOutcome[]): number[] {
  return outcomes.filter(isServed).map(({ latency }) => latency);
}

export function loadFigures(outcomes: LoadOutcome[], seconds: number): LoadFigures {
  const served = outcomes.filter(isServed);
  const refused = outcomes.filter(({ status }) => status === 429 || status === 503);
  const latencies = servedLatencies(served);
  const share = (of: (status: number) => boolean): number =>
    rounded(outcomes.filter(({ status }) => of(status)).length / outcomes.length);
  const ranked = served.reduce((sum, outcome) => sum + (outcome.ranked ?? 0), 0) / served.length;
  return {
    offered: rounded(outcomes.length / seconds),
    served: rounded(served.length / seconds),
    requests: outcomes.length,
    median: rounded(quantile(latencies, 0.5)),
    p90: rounded(quantile(latencies, 0.9)),
    p99: rounded(quantile(latencies, 0.99)),
    shed: share((status) => status === 429),
    late: share((status) => status === 503),
    failed: share((status) => ![200, 429, 503].includes(status)),
    retryAfter: refused.every(({ retryAfter }) => retryAfter),
    ranked: rounded(ranked),
    clientLateP99: rounded(
      quantile(
        outcomes.map(({ late }) => late),
        0.99,
      ),
    ),
  };
}

/** Four significant figures. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

/**
 * Where a rising convex curve bends: the point farthest below the chord of its ends, both axes scaled to [0, 1]
 * (Kneedle: Satopää et al. 2011, without its smoothing). Returns an index.
 */
export function knee(points: [x: number, y: number][]): number {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const scaled = (values: number[]): number[] => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return values.map((value) => (high > low ? (value - low) / (high - low) : 0));
  };
  const [x, y] = [scaled(xs), scaled(ys)];
  const below = x.map((value, i) => value - y[i]!);
  return below.indexOf(Math.max(...below));
}
