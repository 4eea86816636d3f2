import type { Metric } from '../core/types.ts';
import type { UploadOptions } from './device.ts';
import { norm } from './reference/score.ts';

/*
 * How far a float32 cost of kernels/scan.wgsl can be from the canonical one. WGSL rounds each operation to one of
 * the two neighbours (relative error U), may contract and reassociate, may flush numbers below 2^-126 to zero,
 * and may assume that nothing overflows.
 *
 * A sum of n rounded products, in any order, is off by at most g(n) * sum |q_i x_i| <= g(n) * |q| * |x| with
 * g(n) = n * U / (1 - n * U); l2 sums squares of differences and is off by at most g(n) times itself. n is dim + 16:
 * the 16 cover the rounding of differences, of the unit query, of the row's factor and its product with the sum, of
 * the bound's own arithmetic, and the float32 rounding of the canonical score, which makes ties. What flushing and
 * underflow lose is absolute.
 *
 * f32, f16 and bf16 rows are read as they are. The number of an int8 row is v = fl(code * scale); for ip and cosine the
 * kernel sums the codes and multiplies once, which is relative (at most U / 2 from v) and one of the 16. For l2 it
 * multiplies each code and may round otherwise: what it sums is off by e <= 1.6 * U * |x| in length, so the distance D
 * by 2 * sqrt(D) * e + e^2 <= g(n) * D + 2.6 * U / n * |x|^2 (as 2ab <= a^2 t + b^2 / t); with the rounding of the sum
 * this is below 3 * g(n) * cost + 4 * U / n * |x|^2.
 *
 * To stay far from overflow a query is scaled to length 1 (ip by a power of two, cosine by division), and rows that
 * are longer than the metric can bear are undecided, whatever their cost. So are, for cosine, rows so short that
 * flushed numbers or the inverse of their length would matter.
 */

/** The largest relative error of one operation. */
export const U = 2 ** -23;
/** Smallest normal float32: what flushing loses at most. */
const TINY = 2 ** -126;
/** Smallest subnormal float32: twice what rounding a canonical score loses at most. */
const LEAST = 2 ** -149;
/** The largest float32. */
export const MAX = 3.4028234663852886e38;
/** Rounds constants of the bound up, so that their own float32 rounding does not matter. */
export const UP = 1 + 2 ** -10;

/** g(n), rounded up. */
const relativeError = (n: number): number => ((n * U) / (1 - n * U)) * UP;

/** Rows of this length or more are undecided, and for cosine those that are shorter than `SHORTEST`. */
export const LONGEST = { ip: 2 ** 100, cosine: 2 ** 100, l2: 2 ** 60 } as const;
const SHORTEST = 2 ** -60;

/**
 * What the kernel knows of a row of this length whose codes are multiplied by `scale` (1 but for int8): an upper bound
 * of the length that its error depends on, `MAX` if it is undecided, and the factor of its dot product (l2: of its
 * numbers).
 */
export function rowFacts(metric: Metric, length: number, scale: number): { norm: number; factor: number } {
  if (metric !== 'cosine') return { norm: Math.min(length * UP, MAX), factor: scale };
  if (length === 0) return { norm: 0, factor: 0 };
  const decided = length >= SHORTEST && length < LONGEST.cosine;
  return decided ? { norm: UP, factor: scale / length } : { norm: MAX, factor: 0 };
}

/** Of a row with features as `rowFacts`: it is undecided if these are so long that their products may overflow. */
export function featuredFacts(
  metric: Metric,
  length: number,
  scale: number,
  features: Float32Array,
): { norm: number; factor: number } {
  const facts = rowFacts(metric, length, scale);
  return norm(features, 0, features.length) < LONGEST.ip ? facts : { ...facts, norm: MAX };
}

/** The scale of a query and its line (x, y, z, w) of the kernel's `bounds`, for rows that are not bits. */
export function queryBounds(
  { dim, metric, dtype }: UploadOptions,
  queries: Float32Array,
  start: number,
): { scale: number; bounds: [number, number, number, number] } {
  const length = norm(queries, start, dim);
  const n = dim + 16;
  const relative = relativeError(n);
  // An int8 scale may be flushed, too: 127 times as much.
  const flushed = 512 * n * TINY;
  if (metric === 'cosine') {
    return { scale: length === 0 ? 0 : 1 / length, bounds: [relative, 0, flushed, MAX] };
  }
  if (metric === 'l2') {
    const longest = LONGEST.l2 - length;
    const [square, share] = dtype === 'int8' ? [((4 * U) / n) * UP, 3 * relative] : [0, relative];
    return longest > 0
      ? { scale: 1, bounds: [square, share, flushed, longest] }
      : { scale: 0, bounds: [square, share, flushed, 0] };
  }
  const scale = length === 0 ? 1 : 2 ** -Math.ceil(Math.log2(length));
  // Rows whose canonical score may overflow tie at infinity, which scaled scores do not show: undecided.
  const longest = Math.min(LONGEST.ip, 2 ** 126 / Math.max(length, TINY));
  return { scale, bounds: [relative * UP, 0, flushed + LEAST * scale * UP, longest] };
}

/**
 * The same with the weights of a query `[1 + features]`, for kernels with features: the scale, and the lines of `bounds`.
 *
 * The cost is that of `t * w0` times the similarity plus `t * w1 * f1` and so on, where the power of two t brings the
 * longest of |w0| * |q| (cosine: |w0|) and the |wi| to 1 at most. With s = t * |w0| * |q|, its error is at most
 * g(n) * (s * |x| + sum |t wi fi|), n = dim + features + 16. Where s is tiny, numbers that are flushed lose more than
 * that: TINY each of a query's and, for cosine, TINY / SHORTEST of a product, since the row's factor is up to 1 / SHORTEST.
 * Where a weight is, the kernel takes 2^-100 for it, of which g(n) is more than TINY. Rows whose canonical score may
 * overflow are undecided: each of the two parts stays below 2^125 for the others.
 */
export function weightedBounds(
  { dim, metric, features = 0 }: UploadOptions,
  queries: Float32Array,
  start: number,
  weights: Float32Array,
): { scale: number; bounds: Float32Array } {
  const length = norm(queries, start, dim);
  const w0 = Math.abs(weights[0]!);
  const part = metric === 'cosine' ? w0 : w0 * length;
  const longest = weights.subarray(1).reduce((most, weight) => Math.max(most, Math.abs(weight)), part);
  const t = longest === 0 ? 1 : 2 ** -Math.ceil(Math.log2(longest));
  const n = dim + features + 16;
  const relative = relativeError(n);
  const decided = metric === 'cosine' ? (w0 < 2 ** 125 ? MAX : 0) : Math.min(LONGEST.ip, 2 ** 125 / part);
  const bounds = new Float32Array(linesOf(features) * 4);
  bounds[0] = Math.max(relative * t * part, (n / SHORTEST) * TINY * 4) * UP;
  bounds[1] = relative * UP;
  bounds[2] = Math.min((512 * n * TINY + LEAST * t) * UP, LONGEST.ip);
  bounds[3] = decided;
  bounds[4] = Math.min(2 ** 125 * t, MAX);
  for (let i = 1; i < weights.length; i++) bounds[4 + i] = weights[i]! * t;
  const unit = metric === 'cosine' ? (length === 0 ? 0 : 1 / length) : 1;
  return { scale: t * weights[0]! * unit, bounds };
}

/** Vectors of four numbers in a query's `bounds`. */
export const linesOf = (features: number): number => (features === 0 ? 1 : 2 + Math.floor(features / 4));
