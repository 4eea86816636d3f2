import type { DeviceName, Dtype } from '../core/types.ts';
import type { OwnedBatch } from './copyBatch.ts';
import type { OwnedQueries } from './copyQueries.ts';
import type { AskedQueries, BackendRows, UploadOptions } from './device.ts';
import { deviceErrors } from './deviceErrors.ts';
import { quantizeRows } from './reference/quantizeRows.ts';
import type { StoredBatch, StoredQueries, StoredRows } from './storedRows.ts';
import { findNotFinite, notFinite, overflowed } from './validate.ts';

/** Numbers that are checked sooner than they are handed to another thread. */
const QUICKLY_CHECKED = 2 ** 14;

/** From numbers that were copied to those that a backend gets: finite, and in the form in which they are stored. */
export class Intake {
  readonly dim: number;
  readonly dtype: Dtype;
  readonly #device: DeviceName;
  readonly #features: number;

  constructor(device: DeviceName, { dim, dtype, features = 0 }: UploadOptions) {
    this.dim = dim;
    this.dtype = dtype;
    this.#device = device;
    this.#features = features;
  }

  /** Errors count rows from `firstRow`. */
  async batch(backend: BackendRows, owned: OwnedBatch, firstRow: number): Promise<StoredBatch> {
    const { data, features = new Float32Array(), offsets, taken } = owned;
    if (!taken) await this.#checkFinite(backend, data, 'data', firstRow, this.dim);
    await this.#checkFinite(backend, features, 'features', firstRow, this.#features);
    if (taken) return { rows: { dtype: 'f32', values: data }, features, taken };
    return { rows: await this.#quantize(backend, data, 'data', firstRow), features, offsets };
  }

  /** Rows go to the backend at once if it takes them; returns whether it did. Errors count rows from `firstRow`. */
  take(
    backend: BackendRows,
    data: Float32Array,
    features: Float32Array = new Float32Array(),
    firstRow = 0,
  ): boolean {
    const index = data.length === 0 ? undefined : backend.take?.(data, features);
    if (index === undefined) return false;
    if (index >= 0) throw notFinite(data, index, this.dim, 'data', firstRow);
    return true;
  }

  /** Bits are compared with bits; all other rows are scored with the query as it was given. */
  async queries(backend: BackendRows, { values, q, weights, offsets }: OwnedQueries): Promise<AskedQueries> {
    await this.#checkFinite(backend, values, 'queries', 0, this.dim);
    if (weights !== undefined) await this.#checkFinite(backend, weights, 'weights', 0, 1 + this.#features);
    if (this.dtype !== 'binary') return { queries: { dtype: 'f32', values }, q, weights, offsets };
    const bits = (await this.#quantize(backend, values, 'queries', 0)) as StoredQueries;
    return { queries: bits, q, weights, offsets };
  }

  /** `values` `[rows, width]`. */
  async #checkFinite(
    backend: BackendRows,
    values: Float32Array,
    name: string,
    firstRow: number,
    width: number,
  ): Promise<void> {
    const elsewhere = values.length > QUICKLY_CHECKED ? backend.findNotFinite?.(values) : undefined;
    const index = await deviceErrors(this.#device, elsewhere ?? findNotFinite(values));
    if (index >= 0) throw notFinite(values, index, width, name, firstRow);
  }

  /** The one place where numbers are rounded. */
  async #quantize(
    backend: BackendRows,
    values: Float32Array,
    name: string,
    firstRow: number,
  ): Promise<StoredRows> {
    const quantizing = backend.quantize?.(values) ?? quantizeRows(values, this);
    const { rows, overflow } = await deviceErrors(this.#device, quantizing);
    if (overflow >= 0) throw overflowed(values, overflow, this, name, firstRow);
    return rows;
  }
}
