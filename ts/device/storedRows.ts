import { wordsFor } from '../core/bitset.ts';
import type { Dtype } from '../core/types.ts';

/**
 * Rows in the form in which devices keep them, `[rows, dim]` row-major. The number that a code stands for is the
 * half or bfloat16 of these bits, or the float32 product of an int8 code and its row's scale. Bit `i` of a binary row
 * is bit `i & 31` of its word `i >> 5`; each row begins with a word of its own, and the bits after the last are 0.
 */
export type StoredRows =
  | { dtype: 'f32'; values: Float32Array }
  | { dtype: 'f16' | 'bf16'; values: Uint16Array }
  | { dtype: 'int8'; codes: Int8Array; scales: Float32Array }
  | { dtype: 'binary'; words: Uint32Array };

/** Queries in the form in which rows are scored with them. */
export type StoredQueries = Extract<StoredRows, { dtype: 'f32' | 'binary' }>;

/** Rows and what belongs to them. */
export interface StoredBatch {
  rows: StoredRows;
  /** `[rows, features]`, float32 whatever form the rows have; empty where there are none. */
  features: Float32Array;
  /** With maxsim: where the tokens of each document begin among the rows, and the end. */
  offsets?: Uint32Array | undefined;
  /** The backend took `rows` before, whose array is the caller's and not to be read any more. */
  taken?: boolean | undefined;
}

export interface QuantizeOptions {
  /** Numbers in a row: 1 to 65536. */
  dim: number;
  dtype: Dtype;
  /** Bring rows to length 1 first, rounded to float32; rows of zeros stay. */
  normalize?: boolean;
}

/** What became of float32 rows. */
export interface Quantized {
  rows: StoredRows;
  /** Of each int8 row: an upper bound of the length of its rounding error, |x - codes * scale|. Else empty. */
  errors: Float32Array;
  /** Index of the first number that the dtype cannot hold, or -1; if there is one, `rows` are of no use. */
  overflow: number;
}

/** The array of a form: its numbers, codes or words. */
export type StoredNumbers = Float32Array | Uint16Array | Int8Array | Uint32Array;

/** The same rows with each of their arrays, of so many elements a row, changed. */
function mapArrays<R extends StoredRows>(
  rows: R,
  dim: number,
  change: <A extends StoredNumbers>(array: A, width: number) => A,
): R;
function mapArrays(
  rows: StoredRows,
  dim: number,
  change: <A extends StoredNumbers>(array: A, width: number) => A,
): StoredRows {
  switch (rows.dtype) {
    case 'f32':
      return { dtype: rows.dtype, values: change(rows.values, dim) };
    case 'int8':
      return { dtype: rows.dtype, codes: change(rows.codes, dim), scales: change(rows.scales, 1) };
    case 'binary':
      return { dtype: rows.dtype, words: change(rows.words, wordsFor(dim)) };
    default:
      return { dtype: rows.dtype, values: change(rows.values, dim) };
  }
}

/** `count` rows of zeros; throws RangeError if there is no memory. */
export function makeRows(dtype: Dtype, dim: number, count: number): StoredRows {
  switch (dtype) {
    case 'f32':
      return { dtype, values: new Float32Array(count * dim) };
    case 'int8':
      return { dtype, codes: new Int8Array(count * dim), scales: new Float32Array(count) };
    case 'binary':
      return { dtype, words: new Uint32Array(count * wordsFor(dim)) };
    default:
      return { dtype, values: new Uint16Array(count * dim) };
  }
}

/** Bytes of one row. */
export function storedBytes(dtype: Dtype, dim: number): number {
  let bytes = 0;
  mapArrays(makeRows(dtype, dim, 0), dim, (array, width) => {
    bytes += array.BYTES_PER_ELEMENT * width;
    return array;
  });
  return bytes;
}

export function countRows(rows: StoredRows, dim: number): number {
  let count = 0;
  mapArrays(rows, dim, (array, width) => {
    count = array.length / width;
    return array;
  });
  return count;
}

/** Views of rows `from` to `to`. */
export function sliceRows<R extends StoredRows>(rows: R, dim: number, from: number, to: number): R {
  return mapArrays(rows, dim, (array, width) => array.subarray(from * width, to * width) as typeof array);
}

/** Writes `from` over the rows of `to` (of the same dtype) from row `at` on. */
export function writeRows(to: StoredRows, at: number, from: StoredRows, dim: number): void {
  const sources: StoredNumbers[] = [];
  mapArrays(from, dim, (array) => {
    sources.push(array);
    return array;
  });
  mapArrays(to, dim, (array, width) => {
    array.set(sources.shift()!, at * width);
    return array;
  });
}

/** The numbers, codes or words of rows, and the scales of int8 rows (else empty). */
export function arraysOf(rows: StoredRows): { codes: StoredNumbers; scales: Float32Array } {
  if (rows.dtype === 'int8') return rows;
  return { codes: rows.dtype === 'binary' ? rows.words : rows.values, scales: new Float32Array() };
}
