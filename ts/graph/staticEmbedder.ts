import { Graph } from './graph.ts';

/** Rows quantised symmetrically to int8: `row = code * scale`. */
export interface QuantizedRows {
  /** `[rows, dim]` */
  codes: Int8Array;
  /** `[rows]`; 0 for a row of zeros */
  scales: Float32Array;
  dim: number;
}

/** Quantises each row of `[rows, dim]` by its own largest magnitude. */
export function quantizeRows(rows: Float32Array, dim: number): QuantizedRows {
  const count = rows.length / dim;
  const codes = new Int8Array(rows.length);
  const scales = new Float32Array(count);
  for (let row = 0; row < count; row++) {
    let largest = 0;
    for (let i = row * dim; i < (row + 1) * dim; i++) largest = Math.max(largest, Math.abs(rows[i]!));
    if (largest === 0) continue;
    const scale = Math.fround(largest / 127);
    scales[row] = scale;
    for (let i = row * dim; i < (row + 1) * dim; i++) codes[i] = Math.round(rows[i]! / scale);
  }
  return { codes, scales, dim };
}

/**
 * A text encoder without layers: the mean of the token vectors, scaled to length 1. Inputs `input_ids` and
 * `attention_mask` `[batch, sequence]` int64, output `sentence_embedding` `[batch, dim]`; a text without a token
 * that has a vector gives zeros. Only the rows that are asked for are made float32.
 */
export function staticEmbedder({ codes, scales, dim }: QuantizedRows): Uint8Array {
  const graph = new Graph();
  const ids = graph.input('input_ids', ['batch', 'sequence'], 'int64');
  const mask = graph.input('attention_mask', ['batch', 'sequence'], 'int64');
  const table = graph.weights('token_codes', [scales.length, dim], codes);
  const factors = graph.weights('token_scales', [scales.length, 1], scales);
  const present = graph.cast(mask, 'float32');
  const unsqueezed = graph.emit('Unsqueeze', [present, graph.integers([2])], ['batch', 'sequence', 1]);
  const weights = graph.binary('Mul', graph.gather(factors, ids), unsqueezed);
  const vectors = graph.binary('Mul', graph.cast(graph.gather(table, ids), 'float32'), weights);
  const sum = graph.emit('ReduceSum', [vectors, graph.integers([1])], ['batch', dim], { keepdims: 0 });
  const norm = graph.emit('ReduceL2', [sum], ['batch', 1], { axes: [1], keepdims: 1 });
  const safe = graph.emit('Max', [norm, graph.scalar(1e-12)], ['batch', 1]);
  graph.output(graph.binary('Div', sum, safe), 'sentence_embedding');
  return graph.build();
}
