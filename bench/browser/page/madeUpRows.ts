import { random } from '../../../ts/core/random.ts';

/** Numbers that are made in one go. */
const CHUNK = 2 ** 20;

/** Made-up rows `[rows, dim]`, uniform in [-0.5, 0.5), chunk by chunk: the same ones each time, and never all at once. */
export function* madeUpRows(rows: number, dim: number): Generator<{ first: number; values: Float32Array }> {
  const step = Math.max(1, Math.floor(CHUNK / dim));
  for (let first = 0; first < rows; first += step) {
    yield { first, values: numbers(Math.min(step, rows - first) * dim, first + 1) };
  }
}

/** `length` numbers, uniform in [-0.5, 0.5). */
export function numbers(length: number, seed: number): Float32Array {
  const source = random(seed);
  const values = new Float32Array(length);
  for (let i = 0; i < length; i++) values[i] = source.next() - 0.5;
  return values;
}
