import { pacer } from '../pacer.ts';
import { norm } from './score.ts';

/** Brings rows of `values` `[rows, dim]` to length 1, in place: each number divided in float64. Zeros stay. */
export async function normalizeRows(values: Float32Array, dim: number): Promise<void> {
  const pause = pacer();
  for (let start = 0; start < values.length; start += dim) {
    if ((start / dim) % 256 === 0) await pause();
    const length = norm(values, start, dim);
    if (length === 0) continue;
    for (let i = start; i < start + dim; i++) values[i] = values[i]! / length;
  }
}
