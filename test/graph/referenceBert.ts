import type { BertConfig } from '../../ts/graph/bert.ts';

/** Parameters by name: float64, row-major, matrices `[in, out]`. */
export type Reference = Record<string, Float64Array>;

/** Error function: power series for small arguments, continued fraction for large ones; about 1e-15. */
function erf(x: number): number {
  const a = Math.abs(x);
  if (a < 3) {
    let term = a;
    let sum = a;
    for (let n = 1; n < 120; n++) {
      term *= (-a * a) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 60; n >= 1; n--) fraction = n / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / ((a + fraction) * Math.sqrt(Math.PI)));
}

type Matrix = number[][];

function linear(x: Matrix, weight: Float64Array, bias: Float64Array): Matrix {
  const out = bias.length;
  return x.map((row) =>
    Array.from(bias, (b, j) => row.reduce((sum, value, i) => sum + value * weight[i * out + j]!, b)),
  );
}

function layerNorm(x: Matrix, gain: Float64Array, bias: Float64Array, epsilon: number): Matrix {
  return x.map((row) => {
    const mean = row.reduce((a, b) => a + b, 0) / row.length;
    const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / row.length;
    return row.map((value, i) => ((value - mean) / Math.sqrt(variance + epsilon)) * gain[i]! + bias[i]!);
  });
}

const add = (a: Matrix, b: Matrix): Matrix => a.map((row, i) => row.map((value, j) => value + b[i]![j]!));

function softmax(scores: number[]): number[] {
  const top = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - top));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / total);
}

/** The logit of one unpadded sequence, written as the formulas stand, in float64. */
export function referenceLogit(
  config: BertConfig,
  p: Reference,
  words: Float64Array,
  ids: readonly number[],
  types: readonly number[],
): number {
  const { hidden_size: hidden, num_attention_heads: heads, layer_norm_eps: epsilon } = config;
  const width = hidden / heads;
  const part = (table: Float64Array, row: number): Float64Array =>
    table.subarray(row * hidden, (row + 1) * hidden);
  const norm = (x: Matrix, name: string): Matrix =>
    layerNorm(x, p[`${name}.weight`]!, p[`${name}.bias`]!, epsilon);
  const dense = (x: Matrix, name: string): Matrix => linear(x, p[`${name}.weight`]!, p[`${name}.bias`]!);
  let x: Matrix = ids.map((id, s) => {
    const position = part(p['embeddings.position_embeddings.weight']!, s);
    const type = part(p['embeddings.token_type_embeddings.weight']!, types[s]!);
    return Array.from(part(words, id), (value, i) => value + position[i]! + type[i]!);
  });
  x = norm(x, 'embeddings.LayerNorm');
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const prefix = `encoder.layer.${layer}`;
    const [q, k, v] = ['query', 'key', 'value'].map((name) => dense(x, `${prefix}.attention.self.${name}`));
    const mixed: Matrix = x.map(() => new Array<number>(hidden).fill(0));
    for (let head = 0; head < heads; head++) {
      const columns = Array.from({ length: width }, (_, i) => head * width + i);
      q!.forEach((query, s) => {
        const scores = k!.map(
          (key) => columns.reduce((sum, c) => sum + query[c]! * key[c]!, 0) / Math.sqrt(width),
        );
        softmax(scores).forEach((weight, t) => {
          for (const c of columns) mixed[s]![c]! += weight * v![t]![c]!;
        });
      });
    }
    x = norm(
      add(x, dense(mixed, `${prefix}.attention.output.dense`)),
      `${prefix}.attention.output.LayerNorm`,
    );
    const inner = dense(x, `${prefix}.intermediate.dense`);
    const active = inner.map((row) => row.map((value) => (value / 2) * (1 + erf(value / Math.SQRT2))));
    x = norm(add(x, dense(active, `${prefix}.output.dense`)), `${prefix}.output.LayerNorm`);
  }
  const pooled = dense([x[0]!], 'pooler.dense').map((row) => row.map(Math.tanh));
  return dense(pooled, 'classifier')[0]![0]!;
}
