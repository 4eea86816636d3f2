import type { StaticTable } from './staticTable.ts';

export interface RefineOptions {
  /** Pull of each token vector towards where it began; higher stays closer. */
  ridge: number;
  /** Conjugate-gradient iterations. */
  iterations: number;
}

/**
 * Moves token vectors so that sums of them come close to a teacher's sentence vectors: ridge regression
 * `min Σ_texts ‖c Σ_tokens e − y‖² + ridge ‖e − e₀‖²` by conjugate gradients, where `c` is 1 over the length that the sum
 * has at the start and `y [texts, dim]` are the teacher's vectors in the table's space, of length 1.
 */
export function refineTable(
  { rows, dim }: StaticTable,
  texts: readonly (readonly number[])[],
  targets: Float32Array,
  { ridge, iterations }: RefineOptions,
): Float32Array {
  const sums = encode(rows, dim, texts);
  const factors = texts.map((_, text) => {
    let square = 0;
    for (let d = 0; d < dim; d++) square += sums[text * dim + d]! ** 2;
    return square > 0 ? 1 / Math.sqrt(square) : 0;
  });
  // Solves (AᵀA + ridge) x = Aᵀ(y − A e₀) for the change x, each dimension with step sizes of its own.
  const residual = decode(
    Float32Array.from(targets, (target, i) => target - factors[Math.floor(i / dim)]! * sums[i]!),
    factors,
    dim,
    texts,
    rows.length,
  );
  for (let i = 0; i < rows.length; i++) if (rows[i] === 0) residual[i] = 0;
  const change = new Float32Array(rows.length);
  const direction = residual.slice();
  let square = squares(residual, residual, dim);
  for (let iteration = 0; iteration < iterations; iteration++) {
    const image = encode(direction, dim, texts);
    for (let i = 0; i < image.length; i++) image[i]! *= factors[Math.floor(i / dim)]!;
    const applied = decode(image, factors, dim, texts, rows.length);
    for (let i = 0; i < applied.length; i++)
      applied[i] = rows[i] === 0 ? 0 : applied[i]! + ridge * direction[i]!;
    const curvature = squares(direction, applied, dim);
    const step = square.map((value, d) => (curvature[d]! > 0 ? value / curvature[d]! : 0));
    for (let i = 0; i < change.length; i++) {
      change[i]! += step[i % dim]! * direction[i]!;
      residual[i]! -= step[i % dim]! * applied[i]!;
    }
    const next = squares(residual, residual, dim);
    for (let i = 0; i < direction.length; i++) {
      const ratio = square[i % dim]! > 0 ? next[i % dim]! / square[i % dim]! : 0;
      direction[i] = residual[i]! + ratio * direction[i]!;
    }
    square = next;
  }
  return change.map((value, i) => value + rows[i]!);
}

/** Sums of token vectors, `[texts, dim]`. */
function encode(rows: Float32Array, dim: number, texts: readonly (readonly number[])[]): Float32Array {
  const out = new Float32Array(texts.length * dim);
  texts.forEach((tokens, text) => {
    const to = text * dim;
    for (const token of tokens) {
      const from = token * dim;
      for (let d = 0; d < dim; d++) out[to + d]! += rows[from + d]!;
    }
  });
  return out;
}

/** The transpose of `encode` after scaling each text by its factor, `[tokens, dim]`. */
function decode(
  values: Float32Array,
  factors: readonly number[],
  dim: number,
  texts: readonly (readonly number[])[],
  size: number,
): Float32Array {
  const out = new Float32Array(size);
  texts.forEach((tokens, text) => {
    const from = text * dim;
    const factor = factors[text]!;
    for (const token of tokens) {
      const to = token * dim;
      for (let d = 0; d < dim; d++) out[to + d]! += factor * values[from + d]!;
    }
  });
  return out;
}

/** Inner products by dimension, `[dim]`. */
function squares(a: Float32Array, b: Float32Array, dim: number): Float64Array {
  const out = new Float64Array(dim);
  for (let i = 0; i < a.length; i++) out[i % dim]! += a[i]! * b[i]!;
  return out;
}
