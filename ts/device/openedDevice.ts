import '../core/asyncDispose.ts';
import { SeineError, show } from '../core/errors.ts';
import { isTypedArray } from '../core/isTypedArray.ts';
import type { DeviceName, MergeOptions, SelectOptions, TopK, TopKList } from '../core/types.ts';
import { copyBatch, isRowBatch } from './copyBatch.ts';
import type { BackendDevice, BackendRows, Device, RowBatch, Rows, UploadOptions } from './device.ts';
import { deviceErrors } from './deviceErrors.ts';
import { DocumentRows } from './documentRows.ts';
import { mergeTopK } from './mergeTopK.ts';
import { ResidentRows } from './residentRows.ts';
import { selectTopK } from './selectTopK.ts';
import { checkUploadOptions } from './validate.ts';

/** The front of every device: uploads, and what is still resident when it is closed. */
export class OpenedDevice implements Device {
  readonly name: DeviceName;
  readonly description: string;
  readonly #backend: BackendDevice;
  readonly #creating = new Set<Promise<BackendRows>>();
  readonly #working = new Set<Promise<unknown>>();
  readonly #residents = new Set<ResidentRows>();
  #closed: Promise<void> | undefined;

  constructor(backend: BackendDevice) {
    this.name = backend.name;
    this.description = backend.description;
    this.#backend = backend;
  }

  async upload(
    data: Float32Array | RowBatch | AsyncIterable<Float32Array | RowBatch>,
    options: UploadOptions,
  ): Promise<Rows> {
    this.#checkOpen();
    const checked = checkUploadOptions(options);
    const whole = isTypedArray(data, 'Float32Array') || isRowBatch(data);
    if (!whole && !isAsyncIterable(data)) {
      throw new SeineError(
        'ERR_ARGUMENT',
        `data must be a Float32Array [rows, ${checked.dim}], an object with such data or an AsyncIterable of such, ` +
          `got ${show(data)}.`,
      );
    }
    const owned = whole ? copyBatch(data, checked) : undefined;
    const rows = await this.#createRows(checked);
    try {
      if (owned !== undefined) {
        this.#checkOpen();
        await rows.loadOwned(owned);
      } else {
        for await (const chunk of data as AsyncIterable<Float32Array | RowBatch>) {
          this.#checkOpen();
          await rows.load(chunk);
        }
      }
      this.#checkOpen();
      return rows;
    } catch (error) {
      await rows.dispose();
      throw error;
    }
  }

  async select(scores: Float32Array, options: SelectOptions): Promise<TopK> {
    this.#checkOpen();
    return this.#finish(selectTopK(this.name, (task) => this.#backend.select(task), scores, options));
  }

  async merge(lists: readonly TopKList[], options: MergeOptions): Promise<TopK> {
    this.#checkOpen();
    return this.#finish(mergeTopK(this.name, (task) => this.#backend.merge(task), lists, options));
  }

  close(): Promise<void> {
    this.#closed ??= this.#closeOnceIdle();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #createRows(options: UploadOptions): Promise<ResidentRows> {
    const create = async () => {
      const rows = await this.#backend.createRows(options);
      return options.maxsim ? new DocumentRows(rows) : rows;
    };
    const creating = create();
    this.#creating.add(creating);
    try {
      const backend = await creating;
      const rows = new ResidentRows(this.name, backend, create, options, () => this.#residents.delete(rows));
      this.#residents.add(rows);
      return rows;
    } finally {
      this.#creating.delete(creating);
    }
  }

  /** Keeps the device open until `work` has settled; what goes wrong inside of it is a device error. */
  async #finish<T>(work: Promise<T>): Promise<T> {
    this.#working.add(work);
    try {
      return await deviceErrors(this.name, work);
    } finally {
      this.#working.delete(work);
    }
  }

  #checkOpen(): void {
    if (this.#closed === undefined) return;
    throw new SeineError('ERR_CLOSED', `The ${this.name} device is closed: open it again.`);
  }

  async #closeOnceIdle(): Promise<void> {
    await Promise.allSettled(this.#creating);
    await Promise.allSettled(this.#working);
    await Promise.allSettled([...this.#residents].map((rows) => rows.dispose()));
    await this.#backend.close();
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<Float32Array | RowBatch> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
