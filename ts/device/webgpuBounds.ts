import type { Metric } from '../core/types.ts';
import { norm } from './reference/score.ts';

/*
 * How far a float32 cost of kernels/scan.wgsl can be from the canonical one. WGSL rounds each operation to one of
 * the two neighbours (relative error U), may contract and reassociate, may flush numbers below 2^-126 to zero,
 * and may assume that nothing overflows.
 *
 * A sum of n rounded products, in any order, is off by at most g(n) * sum |q_i x_i| <= g(n) * |q| * |x| with
 * g(n) = n * U / (1 - n * U); l2 sums squares of differences and is off by at most g(n) times itself. n is dim + 16:
 * the 16 cover the rounding of differences, of unit vectors and of the bound's own arithmetic, and the float32
 * rounding of the canonical score, which makes ties. What flushing and underflow lose is absolute.
 *
 * To stay far from overflow a query is scaled to length 1 (ip by a power of two, cosine by division), cosine rows
 * are stored as unit vectors, and longer rows than the metric can bear are stored as zeros: their norm marks them
 * as undecided.
 */

const U = 2 ** -23;
/** Smallest normal float32: what flushing loses at most. */
const TINY = 2 ** -126;
/** Smallest subnormal float32: twice what rounding a canonical score loses at most. */
const LEAST = 2 ** -149;
const MAX = 3.4028234663852886e38;
/** Rounds constants of the bound up, so that their own float32 rounding does not matter. */
const UP = 1 + 2 ** -10;

/** Rows of this length or more are stored as zeros. */
const LONGEST: Record<Metric, number> = { ip: 2 ** 100, cosine: Number.POSITIVE_INFINITY, l2: 2 ** 60 };

/** How a row is stored: its numbers times `scale`, and the upper bound of their length that the kernel knows it by. */
export function rowScale(metric: Metric, length: number): { scale: number; norm: number } {
  if (metric === 'cosine') return length === 0 ? { scale: 0, norm: 0 } : { scale: 1 / length, norm: UP };
  return { scale: length >= LONGEST[metric] ? 0 : 1, norm: Math.min(length * UP, MAX) };
}

/** The scale of a query and its line (x, y, z, w) of the kernel's `bounds`. */
export function queryBounds(
  metric: Metric,
  queries: Float32Array,
  start: number,
  dim: number,
): { scale: number; bounds: [number, number, number, number] } {
  const length = norm(queries, start, dim);
  const n = dim + 16;
  const relative = ((n * U) / (1 - n * U)) * UP;
  const flushed = 8 * n * TINY;
  if (metric === 'cosine') {
    return { scale: length === 0 ? 0 : 1 / length, bounds: [relative, 0, flushed, MAX] };
  }
  if (metric === 'l2') {
    const longest = LONGEST.l2 - length;
    return longest > 0
      ? { scale: 1, bounds: [0, relative, flushed, longest] }
      : { scale: 0, bounds: [0, relative, flushed, 0] };
  }
  const scale = length === 0 ? 1 : 2 ** -Math.ceil(Math.log2(length));
  // Rows whose canonical score may overflow tie at infinity, which scaled scores do not show: undecided.
  const longest = Math.min(LONGEST.ip, 2 ** 126 / Math.max(length, TINY));
  return { scale, bounds: [relative * UP, 0, flushed + LEAST * scale * UP, longest] };
}
