// How near canonical scores come to the bounds that codes of rows and queries give.
import type { Metric } from '../../ts/core/types.ts';
import { type NativeAddon, native, nativeProblem } from '../../ts/device/native.ts';
import { exactScore, score, weightedScore } from '../../ts/device/reference/score.ts';
import { METRICS } from './searchCases.ts';

export const addon = native() as NativeAddon;
if (addon === undefined) console.warn(`Codes are not tested: ${nativeProblem()?.message}`);
export const isas = addon?.supportedIsas() ?? [];

export interface Pair {
  query: Float32Array;
  rows: Float32Array;
  /** `[rows, weights - 1]` beside the rows. */
  features?: Float32Array;
  weights?: Float32Array;
}

/** What the addon says about each row of a pair, and the canonical scores, higher ones better. */
export function judge(isa: string, metric: Metric, { query, rows, features, weights }: Pair) {
  const dim = query.length;
  const n = rows.length / dim;
  const sign = metric === 'l2' ? -1 : 1;
  const width = weights === undefined ? 0 : weights.length - 1;
  const scores = Float32Array.from({ length: n }, (_, i) => {
    if (weights === undefined) return sign * score(metric, query, 0, rows, i * dim, dim);
    const similarity = exactScore(metric, query, 0, rows, i * dim, dim);
    return weightedScore(similarity, weights, 0, features!, i * width, width);
  });
  const [lows, highs, reaches] = [new Float32Array(n), new Float32Array(n), new Uint32Array(n)];
  const number = METRICS.indexOf(metric);
  addon.certify(isa, number, dim, rows, query, scores, lows, highs, reaches, features, weights);
  return { scores, lows, highs, reaches };
}

/** How far scores are from the middle of their bounds, in halves of the width: beyond 1 a bound is broken. */
export function strain({ scores, lows, highs, reaches }: ReturnType<typeof judge>): number[] {
  return Array.from(scores, (one, i) => {
    if (lows[i] === Number.NEGATIVE_INFINITY && highs[i] === Number.POSITIVE_INFINITY) return 0;
    const half = (highs[i]! - lows[i]!) / 2;
    const broken = one < lows[i]! || one > highs[i]! || reaches[i] !== 1;
    const ratio = half === 0 ? 0 : Math.abs(one - (lows[i]! + half)) / half;
    return broken ? Math.max(2, ratio) : Math.min(1, ratio);
  });
}
