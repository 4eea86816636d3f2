import { setBit, wordsFor } from '../../core/bitset.ts';
import { pacer } from '../pacer.ts';
import { makeRows, type Quantized, type QuantizeOptions, type StoredRows } from '../storedRows.ts';
import { normalizeRows } from './normalizeRows.ts';

/** Numbers between two looks at the clock. */
const NUMBERS_PER_BLOCK = 1 << 16;
/** The smallest float32 above 0. */
const LEAST = 2 ** -149;
/** The largest scale with which 127 does not overflow: the largest float32 divided by 127 and rounded down. */
const LARGEST_SCALE = 8454659 * 2 ** 98;
/** Adding and subtracting it rounds a float64 below 2^51 to a whole number, ties to even. */
const ROUNDER = 1.5 * 2 ** 52;
/** More than a float64 sum over 65536 columns can be off. */
const UP = 1 + 2 ** -36;

/**
 * The meaning of `quantize`: finite float32 `values` `[rows, dim]` as they are stored. What is rounded is rounded to
 * nearest, ties to even.
 *
 * - f16, bf16: the nearest number, subnormals kept. A number that rounds to infinity is an overflow.
 * - int8: the scale is max|x| / 127 in float32, 0 for a row of zeros; the code is x / scale (in float64) rounded, at
 *   most 127 either way. Where float32 holds the scale so coarsely that max|x| would get a code above 127, it is the
 *   next larger one, and it is never so large that 127 times it overflows.
 * - binary: 1 for numbers above 0; so 0 and -0 are 0.
 *
 * `normalize` works in place, on `values`.
 */
export async function quantizeRows(
  values: Float32Array,
  { dim, dtype, normalize = false }: QuantizeOptions,
): Promise<Quantized> {
  if (normalize) await normalizeRows(values, dim);
  const none = new Float32Array();
  if (dtype === 'f32') return { rows: { dtype, values }, errors: none, overflow: -1 };
  const count = values.length / dim;
  const rows = makeRows(dtype, dim, count);
  const errors = dtype === 'int8' ? new Float32Array(count) : none;
  const block = Math.ceil(NUMBERS_PER_BLOCK / dim);
  const pause = pacer();
  for (let row = 0; row < count; row++) {
    if (row % block === 0) await pause();
    const overflow = quantizeRow(values, row, dim, rows, errors);
    if (overflow >= 0) return { rows, errors, overflow };
  }
  return { rows, errors, overflow: -1 };
}

/** Writes one row; the index of its first number that overflows, or -1. */
function quantizeRow(
  values: Float32Array,
  row: number,
  dim: number,
  rows: StoredRows,
  errors: Float32Array,
): number {
  const start = row * dim;
  switch (rows.dtype) {
    case 'f16':
      return roundRow(values, start, dim, rows.values, halfOf, 0x7c00);
    case 'bf16':
      return roundRow(values, start, dim, rows.values, bfloatOf, 0x7f80);
    case 'int8':
      rows.scales[row] = scaleOf(values, start, dim);
      errors[row] = encodeRow(values, start, dim, rows.codes, rows.scales[row]!);
      return -1;
    case 'binary': {
      const firstBit = row * wordsFor(dim) * 32;
      for (let i = 0; i < dim; i++) if (values[start + i]! > 0) setBit(rows.words, firstBit + i);
      return -1;
    }
    default:
      return -1;
  }
}

function roundRow(
  values: Float32Array,
  start: number,
  dim: number,
  to: Uint16Array,
  round: (bits: number) => number,
  infinity: number,
): number {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = start; i < start + dim; i++) {
    const rounded = round(bits[i]!);
    if ((rounded & 0x7fff) >= infinity) return i;
    to[i] = rounded;
  }
  return -1;
}

/** `n / 2 ** shift` rounded to nearest, ties to even. */
function shiftRounding(n: number, shift: number): number {
  return (n + (1 << (shift - 1)) - 1 + ((n >>> shift) & 1)) >>> shift;
}

/** Bits of the half that is nearest to the finite float32 of these bits. */
function halfOf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  // 2^-14 and above: an exponent smaller by 112 and 13 bits less.
  if (magnitude >= 0x38800000) return sign | Math.min(shiftRounding(magnitude - 0x38000000, 13), 0x7c00);
  // A multiple of 2^-24; what is below 2^-26 is nearer to 0.
  const exponent = magnitude >>> 23;
  return exponent < 101 ? sign : sign | shiftRounding((magnitude & 0x7fffff) | 0x800000, 126 - exponent);
}

/** Bits of the bfloat16 that is nearest to the finite float32 of these bits. */
function bfloatOf(bits: number): number {
  return ((bits >>> 16) & 0x8000) | shiftRounding(bits & 0x7fffffff, 16);
}

function scaleOf(values: Float32Array, start: number, dim: number): number {
  let largest = 0;
  for (let i = start; i < start + dim; i++) largest = Math.max(largest, Math.abs(values[i]!));
  const scale = Math.min(Math.fround(largest / 127), LARGEST_SCALE);
  return scale * 127.5 < largest ? scale + LEAST : scale;
}

/** Writes the codes of a row; returns the bound of its rounding error. */
function encodeRow(
  values: Float32Array,
  start: number,
  dim: number,
  codes: Int8Array,
  scale: number,
): number {
  if (scale === 0) return 0;
  let sum = 0;
  for (let i = start; i < start + dim; i++) {
    const code = Math.max(-127, Math.min(127, values[i]! / scale + ROUNDER - ROUNDER));
    codes[i] = code;
    const error = values[i]! - Math.fround(code * scale);
    sum += error * error;
  }
  return roundedUp(Math.sqrt(sum) * UP);
}

/** The smallest float32 that is at least `value` (0 or positive). */
function roundedUp(value: number): number {
  const near = Math.fround(value);
  if (near >= value) return near;
  const bits = new Uint32Array(Float32Array.of(near).buffer);
  bits[0]!++;
  return new Float32Array(bits.buffer)[0]!;
}
