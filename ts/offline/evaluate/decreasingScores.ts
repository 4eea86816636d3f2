import { SeineError } from '../../core/errors.ts';

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);
/** Place of the largest finite float32. */
const LARGEST = 0x7f7fffff;

/**
 * Scores that say the same order: each is the float32 nearest to the given one, lowered where it is not below its
 * predecessor. So ties, and scores that rise because several rankers gave them, come out strictly falling by the
 * smallest steps that there are. Infinities become the largest finite values.
 * @throws ERR_ARGUMENT for NaN.
 */
export function decreasingScores(scores: number[]): Float32Array {
  const orders = new Float64Array(scores.length);
  let bound = LARGEST;
  for (const [i, score] of scores.entries()) {
    if (Number.isNaN(score)) {
      throw new SeineError('ERR_ARGUMENT', `Expected numbers as scores, got NaN at rank ${i + 1}.`);
    }
    orders[i] = Math.min(orderOf(score), bound);
    bound = orders[i]! - 1;
  }
  // Where the lowest values were used up, the end of the list is lifted.
  bound = -LARGEST;
  for (let i = orders.length - 1; i >= 0 && orders[i]! < bound; i--) orders[i] = bound++;
  return Float32Array.from(orders, floatAt);
}

/** Place of the nearest float32 among all: 0 for both zeros, 1 for the smallest positive value, -1 for its negative. */
function orderOf(value: number): number {
  float[0] = value;
  const magnitude = bits[0]! & 0x7fffffff;
  return value < 0 ? -magnitude : magnitude;
}

function floatAt(order: number): number {
  bits[0] = Math.abs(order);
  return order < 0 ? -float[0]! : float[0]!;
}
