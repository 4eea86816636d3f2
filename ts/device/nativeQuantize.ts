import { threadBudget } from '../core/threads.ts';
import { DTYPES, type NativeAddon, nativeError } from './native.ts';
import { arraysOf, makeRows, type Quantized, type QuantizeOptions } from './storedRows.ts';

/** `quantizeRows` by the addon, off the event loop; `values` must not be changed meanwhile. */
export async function nativeQuantize(
  addon: NativeAddon,
  values: Float32Array,
  { dim, dtype, normalize = false }: QuantizeOptions,
): Promise<Quantized> {
  const none = new Float32Array();
  if (dtype === 'f32' && !normalize) return { rows: { dtype, values }, errors: none, overflow: -1 };
  const count = values.length / dim;
  const rows = makeRows(dtype, dim, count);
  const { codes, scales } = arraysOf(rows);
  const errors = dtype === 'int8' ? new Float32Array(count) : none;
  const isa = process.env.SEINE_ISA ?? '';
  const number = DTYPES.indexOf(dtype);
  try {
    const overflow = await addon.quantize(
      isa,
      threadBudget(),
      values,
      dim,
      number,
      normalize,
      codes,
      scales,
      errors,
    );
    return { rows, errors, overflow };
  } catch (error) {
    throw nativeError(error);
  }
}
