import { principalAxes } from './pca.ts';

export interface StaticTable {
  /** Token vectors `[tokens, dim]`; zeros for the tokens without meaning. */
  rows: Float32Array;
  dim: number;
  /** Projection of the teacher's space onto the table's: orthonormal rows `[dim, teacherDim]`. */
  axes: Float64Array;
}

/**
 * Token vectors projected onto their `dim` principal axes and weighted by smooth inverse frequency,
 * `smoothing / (smoothing + frequency)`. Tokens that are not `used` (special, reserved) take no part and get zeros.
 */
export function staticTable(
  vectors: Float32Array,
  frequencies: Float64Array,
  used: (token: number) => boolean,
  { dim, smoothing }: { dim: number; smoothing: number },
): StaticTable {
  const tokens = frequencies.length;
  const from = vectors.length / tokens;
  const weights = Float64Array.from(frequencies, (_, token) => (used(token) ? 1 : 0));
  const { mean, axes } = principalAxes(vectors, weights, from);
  const rows = new Float32Array(tokens * dim);
  for (let token = 0; token < tokens; token++) {
    if (!used(token)) continue;
    const factor = smoothing / (smoothing + frequencies[token]!);
    for (let d = 0; d < dim; d++) {
      let sum = 0;
      for (let i = 0; i < from; i++) sum += axes[d * from + i]! * (vectors[token * from + i]! - mean[i]!);
      rows[token * dim + d] = factor * sum;
    }
  }
  return { rows, dim, axes: axes.slice(0, dim * from) };
}
