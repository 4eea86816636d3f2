import type { Dtype } from '../../ts/core/types.ts';
import { quantize } from '../../ts/device/quantize.ts';
import { numberOfCode } from './exactNumbers.ts';

/** The numbers `[rows, dim]` that stored rows stand for; bits are told by the signs of what was given. */
export async function storedNumbers(data: Float32Array, dim: number, dtype: Dtype): Promise<number[]> {
  const rows = await quantize(data, { dim, dtype });
  switch (rows.dtype) {
    case 'f32':
      return Array.from(rows.values);
    case 'int8':
      return Array.from(rows.codes, (code, i) => Math.fround(code * rows.scales[Math.floor(i / dim)]!));
    case 'binary':
      return Array.from(data);
    default: {
      const { values, dtype: half } = rows;
      return Array.from(values, (code) => numberOfCode(code, half));
    }
  }
}
