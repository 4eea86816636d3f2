import { native } from './native.ts';
import { nativeQuantize } from './nativeQuantize.ts';
import { quantizeRows } from './reference/quantizeRows.ts';
import type { QuantizeOptions, StoredRows } from './storedRows.ts';
import { checkQuantizeOptions, copyFinite, overflowed } from './validate.ts';

/**
 * Rows as devices store them. `errors` `[rows]` bound the length of each int8 row's rounding error
 * |x - codes * scale|, rounded up.
 */
export type QuantizedRows =
  | Exclude<StoredRows, { dtype: 'int8' }>
  | (Extract<StoredRows, { dtype: 'int8' }> & { errors: Float32Array });

/**
 * Rounds `values` `[rows, dim]` to the form in which a device stores rows of `dtype`; everything to nearest, ties to
 * even. 'f16' and 'bf16' give the bits, subnormals kept; 'int8' gives codes from -127 to 127 and the scale of each
 * row, max|x| / 127; 'binary' gives a bit for each number, 1 if it is above 0. Throws `ERR_NOT_FINITE`, and
 * `ERR_OVERFLOW` where a number is beyond the range of 'f16' (from 65520 on) or 'bf16'.
 */
export async function quantize(values: Float32Array, options: QuantizeOptions): Promise<QuantizedRows> {
  const checked = checkQuantizeOptions(options);
  const { dim } = checked;
  const owned = await copyFinite(values, dim, 'values');
  const addon = native();
  const quantizing =
    addon === undefined ? quantizeRows(owned, checked) : nativeQuantize(addon, owned, checked);
  const { rows, errors, overflow } = await quantizing;
  if (overflow >= 0) throw overflowed(owned, overflow, checked, 'values');
  return rows.dtype === 'int8' ? { ...rows, errors } : rows;
}
