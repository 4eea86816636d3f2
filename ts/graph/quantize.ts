import type { Graph, Tensor } from './graph.ts';

/** A matrix quantised symmetrically to int8, one scale for each row: `row = code * scale`. */
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

/** Rows of a quantised table for indices `[batch, sequence]`; only they become float32, not the whole table. */
export function gatherRows(
  graph: Graph,
  name: string,
  { codes, scales, dim }: QuantizedRows,
  ids: Tensor,
): Tensor {
  const table = graph.weights(`${name}.codes`, [scales.length, dim], codes);
  const factors = graph.weights(`${name}.scales`, [scales.length, 1], scales);
  return graph.binary('Mul', graph.cast(graph.gather(table, ids), 'float32'), graph.gather(factors, ids));
}

/**
 * A matrix `[rows, columns]` that lies in the file as int8 with a scale for each column and is float32 in the
 * computation: activations are not quantised, so a result does not depend on the others of its batch.
 */
export function quantizedMatrix(
  graph: Graph,
  name: string,
  data: Float32Array,
  [rows, columns]: readonly [number, number],
): Tensor {
  const codes = new Int8Array(data.length);
  const scales = new Float32Array(columns);
  for (let column = 0; column < columns; column++) {
    let largest = 0;
    for (let i = column; i < data.length; i += columns) largest = Math.max(largest, Math.abs(data[i]!));
    const scale = Math.fround(largest / 127) || 1;
    scales[column] = scale;
    for (let i = column; i < data.length; i += columns) codes[i] = Math.round(data[i]! / scale);
  }
  // Not DequantizeLinear, which ONNX Runtime computes anew in every run: a product of constants it computes once.
  const stored = graph.weights(`${name}.codes`, [rows, columns], codes);
  const factors = graph.weights(`${name}.scales`, [columns], scales);
  return graph.binary('Mul', graph.cast(stored, 'float32'), factors);
}
