import { SeineError, show } from '../core/errors.ts';
import { isTypedArray } from '../core/isTypedArray.ts';
import type {
  Dtype,
  Filter,
  FilterExpression,
  Metric,
  RescoreOptions,
  SearchOptions,
} from '../core/types.ts';
import { checkAttributeTypes } from './copyAttributes.ts';
import type { UploadOptions } from './device.ts';
import { pacer } from './pacer.ts';
import type { QuantizeOptions } from './storedRows.ts';

const METRICS: readonly Metric[] = ['ip', 'cosine', 'l2', 'hamming'];
const DTYPES: readonly Dtype[] = ['f32', 'f16', 'bf16', 'int8', 'binary'];
export const MAX_DIM = 65536;
const MAX_FEATURES = 256;
/** Ids are uint32 and 0xFFFFFFFF marks an empty slot. */
export const MAX_ROWS = 0xffffffff;
const SLICE = 1 << 18;

type CopyWhere = (where: unknown) => FilterExpression;

/** An object with known keys only; a misspelt option must not be ignored. */
export function checkKeys(value: unknown, name: string, known: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `${name} must be an object with ${known.join(', ')}, got ${show(value)}.`,
    );
  }
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) {
      throw new SeineError(
        'ERR_ARGUMENT',
        `${name} has the unknown key ${show(key)}: known are ${known.join(', ')}.`,
      );
    }
  }
  return value as Record<string, unknown>;
}

export function checkOneOf<T extends string>(value: unknown, name: string, known: readonly T[]): T {
  const found = known.find((one) => one === value);
  if (found !== undefined) return found;
  const list = known.map((one) => `'${one}'`).join(', ');
  throw new SeineError('ERR_ARGUMENT', `${name} must be one of ${list}, got ${show(value)}.`);
}

export function checkInteger(value: unknown, name: string, from: number, to: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= from && value <= to) return value;
  throw new SeineError(
    'ERR_ARGUMENT',
    `${name} must be a whole number from ${from} to ${to}, got ${show(value)}.`,
  );
}

function checkBoolean(value: unknown, name: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new SeineError('ERR_ARGUMENT', `${name} must be true or false, got ${show(value)}.`);
}

export function checkUploadOptions(options: unknown): UploadOptions {
  const { dim, metric, dtype, attributes, features, maxsim } = checkKeys(options, 'options', [
    'dim',
    'metric',
    'dtype',
    'attributes',
    'features',
    'maxsim',
  ]);
  const checked: UploadOptions = {
    dim: checkInteger(dim, 'dim', 1, MAX_DIM),
    metric: checkOneOf(metric, 'metric', METRICS),
    dtype: checkOneOf(dtype, 'dtype', DTYPES),
    attributes: attributes === undefined ? undefined : checkAttributeTypes(attributes),
    features: features === undefined ? undefined : checkInteger(features, 'features', 1, MAX_FEATURES),
    maxsim: maxsim === undefined ? undefined : checkBoolean(maxsim, 'maxsim'),
  };
  if (checked.maxsim && (checked.metric !== 'ip' || checked.features !== undefined)) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `maxsim goes with metric 'ip' and without features, got metric '${checked.metric}' and features ` +
        `${checked.features}: bring tokens to length 1 for cosines.`,
    );
  }
  if ((checked.metric === 'hamming') !== (checked.dtype === 'binary')) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `metric 'hamming' goes with dtype 'binary' and with no other, got metric '${checked.metric}' with dtype ` +
        `'${checked.dtype}': change one of them.`,
    );
  }
  if (checked.features !== undefined && (checked.metric === 'l2' || checked.metric === 'hamming')) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `features are weighed against a similarity, got metric '${checked.metric}', of which lower scores are better: ` +
        `use 'ip' or 'cosine', or leave features out.`,
    );
  }
  return checked;
}

export function checkQuantizeOptions(options: unknown): QuantizeOptions {
  const { dim, dtype, normalize } = checkKeys(options, 'options', ['dim', 'dtype', 'normalize']);
  return {
    dim: checkInteger(dim, 'dim', 1, MAX_DIM),
    dtype: checkOneOf(dtype, 'dtype', DTYPES),
    normalize: normalize === undefined ? false : checkBoolean(normalize, 'normalize'),
  };
}

/** `SearchOptions` of which weights and offsets are left to `copyQueries`. */
export type CheckedSearchOptions = Omit<SearchOptions, keyof RescoreOptions> &
  Record<keyof RescoreOptions, unknown>;

/** Checks what can be checked before it is the search's turn, and copies the filter; `copyWhere` does so for conditions. */
export function checkSearchOptions(options: unknown, copyWhere: CopyWhere): CheckedSearchOptions {
  const known = ['k', 'filter', 'signal', 'weights', 'offsets'];
  const { k, filter, signal, weights, offsets } = checkKeys(options, 'options', known);
  return {
    weights,
    offsets,
    k: checkInteger(k, 'k', 1, MAX_ROWS - 1),
    filter: filter === undefined ? undefined : copyFilter(filter, copyWhere),
    signal: signal === undefined ? undefined : checkSignal(signal),
  };
}

function checkSignal(value: unknown): AbortSignal {
  // By its shape: a signal may come from another realm.
  if (typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value) {
    return value as AbortSignal;
  }
  throw new SeineError('ERR_ARGUMENT', `signal must be an AbortSignal, got ${show(value)}.`);
}

function copyFilter(value: unknown, copyWhere: CopyWhere): Filter {
  const { mask, rows, where } = checkKeys(value, 'filter', ['mask', 'rows', 'where']);
  if ([mask, rows, where].filter((given) => given !== undefined).length !== 1) {
    throw new SeineError(
      'ERR_ARGUMENT',
      'filter must have exactly one of mask, rows and where: leave filter out to search all rows.',
    );
  }
  if (where !== undefined) return { where: copyWhere(where) };
  return mask === undefined
    ? { rows: copyWords(rows, 'filter.rows') }
    : { mask: copyWords(mask, 'filter.mask') };
}

export function copyWords(value: unknown, name: string): Uint32Array {
  if (!isTypedArray(value, 'Uint32Array')) {
    throw new SeineError('ERR_ARGUMENT', `${name} must be a Uint32Array, got ${show(value)}.`);
  }
  checkBuffer(value.buffer, name);
  return value.slice();
}

/** A detached buffer looks like an empty one, and a resizable one can shrink under a view. */
function checkBuffer(buffer: ArrayBufferLike, name: string): void {
  const flags = buffer as { resizable?: boolean; growable?: boolean };
  if (flags.resizable === true || flags.growable === true) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `${name} lies in a resizable buffer, which can change its length: pass a copy.`,
    );
  }
  try {
    new Uint8Array(buffer);
  } catch (cause) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `${name} lies in a detached buffer (transferred to another thread?): pass a copy.`,
      { cause },
    );
  }
}

/** `value` as rows `[rows, dim]`, not copied. Numbers are not looked at: see `findNotFinite`. */
export function checkMatrix(value: unknown, dim: number, name: string): Float32Array {
  if (!isTypedArray(value, 'Float32Array')) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `${name} must be a Float32Array [rows, ${dim}], got ${show(value)}.`,
    );
  }
  checkBuffer(value.buffer, name);
  if (value.length % dim !== 0) {
    throw new SeineError(
      'ERR_DIMENSION',
      `${name} must hold whole rows of ${dim} numbers, got ${value.length} numbers (${value.length % dim} too many).`,
    );
  }
  return value;
}

/** An owned copy of rows `[rows, dim]`. */
export function copyMatrix(value: unknown, dim: number, name: string): Float32Array {
  const checked = checkMatrix(value, dim, name);
  try {
    return checked.slice();
  } catch (cause) {
    throw new SeineError(
      'ERR_OUT_OF_MEMORY',
      `${name} could not be copied: ${checked.byteLength} bytes wanted; pass the rows in smaller chunks.`,
      { cause },
    );
  }
}

/** An owned copy of rows `[rows, dim]`, which must be finite. */
export async function copyFinite(value: unknown, dim: number, name: string): Promise<Float32Array> {
  const owned = copyMatrix(value, dim, name);
  const index = await findNotFinite(owned);
  if (index >= 0) throw notFinite(owned, index, dim, name);
  return owned;
}

/** An owned copy of row ids; whether they exist is checked when it is their turn. */
export function copyIds(value: unknown): Uint32Array {
  if (isTypedArray(value, 'Uint32Array')) return copyWords(value, 'ids');
  if (!Array.isArray(value)) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `ids must be an array of row ids or a Uint32Array, got ${show(value)}.`,
    );
  }
  return Uint32Array.from(value, (id: unknown, index) => checkInteger(id, `ids[${index}]`, 0, MAX_ROWS - 1));
}

/** Refuses `rows` more rows than a resident of `count` can hold. */
export function checkRoom(count: number, rows: number): void {
  if (count + rows <= MAX_ROWS) return;
  throw new SeineError(
    'ERR_ARGUMENT',
    `data would make ${count + rows} rows, but a resident holds at most ${MAX_ROWS}: use several.`,
  );
}

/** Refuses ids of rows that do not exist. */
export function checkIds(ids: Uint32Array, count: number, name: string): void {
  for (let i = 0; i < ids.length; i++) {
    if (ids[i]! >= count) {
      throw new SeineError(
        'ERR_ARGUMENT',
        `${name}[${i}] is ${ids[i]}, but there are ${count} rows: ids must be below ${count}.`,
      );
    }
  }
}

/** Index of the first NaN or infinity in `values`, or -1; yields to the event loop on the way. */
export async function findNotFinite(values: Float32Array): Promise<number> {
  const pause = pacer();
  for (let start = 0; start < values.length; start += SLICE) {
    const end = Math.min(start + SLICE, values.length);
    for (let i = start; i < end; i++) {
      if (!Number.isFinite(values[i]!)) return i;
    }
    await pause();
  }
  return -1;
}

/** The error for the number at `index` of `values` `[rows, dim]`, whose first row is called `firstRow`. */
export function notFinite(
  values: Float32Array,
  index: number,
  dim: number,
  name: string,
  firstRow = 0,
): SeineError {
  const row = firstRow + Math.floor(index / dim);
  return new SeineError(
    'ERR_NOT_FINITE',
    `${name} must hold finite numbers, got ${values[index]} at row ${row}, column ${index % dim} ` +
      `(index ${firstRow * dim + index}): leave such rows out or correct them.`,
  );
}

/** The error for the number at `index` of `values` `[rows, dim]` that `dtype` cannot hold; rows count from `firstRow`. */
export function overflowed(
  values: Float32Array,
  index: number,
  { dim, dtype }: { dim: number; dtype: Dtype },
  name: string,
  firstRow = 0,
): SeineError {
  const row = firstRow + Math.floor(index / dim);
  return new SeineError(
    'ERR_OVERFLOW',
    `${name} holds ${values[index]} at row ${row}, column ${index % dim}, which is beyond the range of dtype ` +
      `'${dtype}': scale the rows down, or store them as 'f32' or 'int8'.`,
  );
}
