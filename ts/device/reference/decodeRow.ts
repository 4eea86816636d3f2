import { floatOfHalf } from '../../core/floatOfHalf.ts';
import type { StoredRows } from '../storedRows.ts';

/** Rows whose numbers are float32 or stand for such. */
export type FloatRows = Exclude<StoredRows, { dtype: 'binary' }>;

/** The float32 of each of the 65536 halves; made when first needed. */
let halves: Float32Array | undefined;

/** Writes the numbers that row `row` of `rows` stands for, all of them float32, to `to` `[dim]`. */
export function decodeRow(rows: FloatRows, row: number, dim: number, to: Float32Array): void {
  const start = row * dim;
  switch (rows.dtype) {
    case 'f32':
      to.set(rows.values.subarray(start, start + dim));
      break;
    case 'f16':
      halves ??= Float32Array.from({ length: 0x10000 }, (_, bits) => floatOfHalf(bits));
      for (let i = 0; i < dim; i++) to[i] = halves[rows.values[start + i]!]!;
      break;
    case 'bf16': {
      const bits = new Uint32Array(to.buffer, to.byteOffset, dim);
      for (let i = 0; i < dim; i++) bits[i] = rows.values[start + i]! << 16;
      break;
    }
    case 'int8':
      for (let i = 0; i < dim; i++) to[i] = rows.codes[start + i]! * rows.scales[row]!;
  }
}
