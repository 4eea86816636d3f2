import { SeineError } from '../core/errors.ts';

/** How the vectors of a text's tokens become the vector of the text. */
export type Pooling = 'mean' | 'cls' | 'max' | 'lasttoken';

const MODES: Record<string, Pooling> = {
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_cls_token: 'cls',
  pooling_mode_max_tokens: 'max',
  pooling_mode_lasttoken: 'lasttoken',
};

/** Reads the mode from a sentence-transformers `1_Pooling/config.json`. Throws `ERR_MODEL` if it is another or several. */
export function poolingMode(config: Record<string, unknown>, path: string): Pooling {
  const on = Object.keys(config).filter((key) => key.startsWith('pooling_mode_') && config[key] === true);
  const mode = on.length === 1 ? MODES[on[0]!] : undefined;
  if (mode === undefined) {
    throw new SeineError(
      'ERR_MODEL',
      `${path} should switch on one of ${Object.keys(MODES).join(', ')}, got ${on.join(' and ') || 'none'}: ` +
        'export the model with its pooling in the graph, as an output sentence_embedding.',
    );
  }
  return mode;
}

/**
 * Writes the pooled vector of row `row` of `hidden` `[batch, sequence, dim]` to `out` `[dim]`. Only its first
 * `length` tokens count (padding is on the right); sums are taken in float64.
 */
export function pool(
  hidden: Float32Array,
  row: number,
  sequence: number,
  length: number,
  mode: Pooling,
  out: Float32Array,
): void {
  const dim = out.length;
  const base = row * sequence * dim;
  if (mode === 'cls' || mode === 'lasttoken') {
    const token = mode === 'cls' ? 0 : length - 1;
    out.set(hidden.subarray(base + token * dim, base + (token + 1) * dim));
    return;
  }
  if (mode === 'max') {
    out.set(hidden.subarray(base, base + dim));
    for (let token = 1; token < length; token++) {
      const at = base + token * dim;
      for (let i = 0; i < dim; i++) out[i] = Math.max(out[i]!, hidden[at + i]!);
    }
    return;
  }
  const sums = new Float64Array(dim);
  for (let token = 0; token < length; token++) {
    const at = base + token * dim;
    for (let i = 0; i < dim; i++) sums[i]! += hidden[at + i]!;
  }
  for (let i = 0; i < dim; i++) out[i] = sums[i]! / length;
}

/** Scales a vector to length 1 in place; a zero vector stays. */
export function normalize(vector: Float32Array): void {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += vector[i]! * vector[i]!;
  if (sum === 0) return;
  const scale = 1 / Math.sqrt(sum);
  for (let i = 0; i < vector.length; i++) vector[i]! *= scale;
}
