import '../core/asyncDispose.ts';
import { SeineError } from '../core/errors.ts';
import type { DeviceName, Dtype, Metric, Pairs, RescoreOptions, SearchOptions, TopK } from '../core/types.ts';
import { untilAborted } from '../core/untilAborted.ts';
import { checkPairs, copyPairs } from './checkPairs.ts';
import { copyBatch } from './copyBatch.ts';
import { copyKept } from './copyKept.ts';
import { copyQueries, type OwnedQueries } from './copyQueries.ts';
import type {
  Appended,
  AskedQueries,
  BackendRows,
  Compacted,
  RowBatch,
  Rows,
  UploadOptions,
} from './device.ts';
import { deviceErrors } from './deviceErrors.ts';
import { GatheredSearches } from './gatheredSearches.ts';
import { quantizeRows } from './reference/quantizeRows.ts';
import { RowAttributes } from './rowAttributes.ts';
import { appended, emptySnapshot, removed, type Snapshot } from './snapshot.ts';
import type { StoredQueries, StoredRows } from './storedRows.ts';
import { emptyTopK, fillTopK, isDistance } from './topK.ts';
import {
  checkIds,
  checkKeys,
  checkRoom,
  checkSearchOptions,
  copyIds,
  findNotFinite,
  notFinite,
  overflowed,
} from './validate.ts';

/** Numbers that are checked sooner than they are handed to another thread. */
const QUICKLY_CHECKED = 2 ** 14;

interface Bound {
  snapshot: Snapshot;
  attributes: RowAttributes;
  backend: BackendRows;
  gathered: GatheredSearches;
}

/**
 * The front of every resident: checks, order, snapshots, tombstones, abort and use after close happen here and
 * nowhere else. Arguments are copied before the first `await`, so callers may reuse their buffers at once.
 */
export class ResidentRows implements Rows {
  readonly dim: number;
  readonly metric: Metric;
  readonly dtype: Dtype;
  readonly features: number;
  readonly #device: DeviceName;
  #backend: BackendRows;
  #gathered: GatheredSearches;
  readonly #create: () => Promise<BackendRows>;
  readonly #onDispose: () => void;
  #snapshot: Snapshot = emptySnapshot;
  #attributes: RowAttributes;
  /** Settles, always fulfilled, when every mutation called so far has acted. */
  #mutations: Promise<unknown> = Promise.resolve();
  readonly #searches = new Set<Promise<unknown>>();
  /** What `compact` replaced: each is disposed once the searches that it serves are done. */
  readonly #retiring = new Set<Promise<void>>();
  #disposed: Promise<void> | undefined;

  /** `create` makes empty rows like `backend` on its device. */
  constructor(
    device: DeviceName,
    backend: BackendRows,
    create: () => Promise<BackendRows>,
    options: UploadOptions,
    onDispose: () => void,
  ) {
    this.#device = device;
    this.#backend = backend;
    this.#gathered = new GatheredSearches(backend);
    this.#create = create;
    this.dim = options.dim;
    this.metric = options.metric;
    this.dtype = options.dtype;
    this.features = options.features ?? 0;
    this.#attributes = new RowAttributes(backend, options.attributes);
    this.#onDispose = onDispose;
  }

  get count(): number {
    return this.#snapshot.count;
  }

  get live(): number {
    return this.#snapshot.live;
  }

  get generation(): number {
    return this.#snapshot.generation;
  }

  get bytes(): number {
    return this.#backend.bytes + this.#attributes.bytes + (this.#snapshot.kept?.byteLength ?? 0);
  }

  async search(queries: Float32Array, options: SearchOptions): Promise<TopK> {
    this.#checkOpen('search');
    const checked = checkSearchOptions(options, (where) => this.#attributes.copyWhere(where));
    checked.signal?.throwIfAborted();
    const owned = copyQueries(queries, checked.weights, this);
    const work = this.#track(this.#searchSnapshot(owned, checked, this.#bound()));
    return checked.signal === undefined ? work : untilAborted(work, checked.signal);
  }

  async rescore(queries: Float32Array, pairs: Pairs, options: RescoreOptions = {}): Promise<Float32Array> {
    this.#checkOpen('rescore');
    const checked = checkKeys(options, 'options', ['weights']);
    const ownedPairs = copyPairs(pairs);
    const owned = copyQueries(queries, checked.weights, this);
    return this.#track(this.#rescoreSnapshot(owned, ownedPairs, this.#bound()));
  }

  async append(data: Float32Array | RowBatch): Promise<Appended> {
    this.#checkOpen('append');
    const { dim, features } = this;
    const owned = copyBatch(data, { dim, features, attributes: this.#attributes.types });
    return this.#mutate(async () => {
      const first = this.#snapshot.count;
      await this.#store(owned, 0);
      this.#snapshot = { ...this.#snapshot, generation: this.#snapshot.generation + 1 };
      return { first, count: owned.data.length / this.dim, generation: this.#snapshot.generation };
    });
  }

  async remove(ids: readonly number[] | Uint32Array): Promise<number> {
    this.#checkOpen('remove');
    const owned = copyIds(ids);
    return this.#mutate(() => {
      checkIds(owned, this.#snapshot.count, 'ids');
      const before = this.#snapshot.live;
      this.#snapshot = removed(this.#snapshot, owned);
      return before - this.#snapshot.live;
    });
  }

  async compact(): Promise<Compacted> {
    this.#checkOpen('compact');
    return this.#mutate(async () => {
      const { live } = this.#snapshot;
      const generation = this.#snapshot.generation + 1;
      const replaced = this.#backend;
      const backend = await this.#ask(this.#create());
      let remap: Uint32Array;
      let attributes: RowAttributes;
      try {
        attributes = await this.#ask(this.#attributes.kept(this.#snapshot, backend));
        remap = await this.#ask(copyKept(replaced, backend, this.#snapshot, this.dim));
      } catch (error) {
        await backend.dispose();
        throw error;
      }
      this.#backend = backend;
      this.#gathered = new GatheredSearches(backend);
      this.#attributes = attributes;
      this.#snapshot = { count: live, live, generation, kept: undefined };
      this.#retire(replaced);
      return { remap, generation };
    });
  }

  dispose(): Promise<void> {
    this.#disposed ??= this.#disposeOnceIdle();
    return this.#disposed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /** A chunk of the upload: like `append`, but the generation stays 0 and errors name the row of the whole upload. */
  async load(owned: RowBatch): Promise<void> {
    this.#checkOpen('upload');
    await this.#mutate(() => this.#store(owned, this.#snapshot.count));
  }

  async #store(
    { data, attributes = {}, features = new Float32Array() }: RowBatch,
    firstRow: number,
  ): Promise<void> {
    const rows = data.length / this.dim;
    checkRoom(this.#snapshot.count, rows);
    await this.#checkFinite(data, 'data', firstRow);
    await this.#checkFinite(features, 'features', firstRow, this.features);
    await this.#ask(this.#attributes.write(this.#snapshot.count, rows, attributes));
    if (rows > 0) {
      const stored = await this.#quantize(data, 'data', firstRow);
      await this.#ask(this.#backend.append({ rows: stored, features }));
    }
    this.#attributes.append(this.#snapshot.count, attributes);
    this.#snapshot = appended(this.#snapshot, rows);
  }

  /** What a search sees that is called now: the rows after the mutations called before. */
  #bound(): Promise<Bound> {
    return this.#mutations.then(() => ({
      snapshot: this.#snapshot,
      attributes: this.#attributes,
      backend: this.#backend,
      gathered: this.#gathered,
    }));
  }

  /** Keeps the rows until `work` has settled. */
  #track<T>(work: Promise<T>): Promise<T> {
    this.#searches.add(work);
    const done = () => this.#searches.delete(work);
    work.then(done, done);
    return work;
  }

  async #searchSnapshot(
    owned: OwnedQueries,
    { k, filter, signal }: Omit<SearchOptions, 'weights'>,
    bound: Promise<Bound>,
  ): Promise<TopK> {
    const { snapshot, attributes, gathered } = await bound;
    const asked = await this.#prepare(owned);
    signal?.throwIfAborted();
    const found = await this.#ask(attributes.passing(filter, snapshot, signal));
    const { q } = asked;
    const topK = emptyTopK(q, k, isDistance(this.metric), snapshot.generation, this.#device);
    if (q === 0 || found.passing === 0) return topK;
    const filled = Math.min(k, found.passing);
    const task = { ...asked, k: filled, count: snapshot.count, ...found, signal };
    const best = await this.#ask(gathered.search(task));
    return fillTopK(topK, best, filled, new Uint32Array(q).fill(filled));
  }

  async #rescoreSnapshot(owned: OwnedQueries, pairs: Pairs, bound: Promise<Bound>): Promise<Float32Array> {
    const { snapshot, backend } = await bound;
    checkPairs(pairs, owned.q, snapshot);
    const asked = await this.#prepare(owned);
    if (pairs.rows.length === 0) return new Float32Array();
    return this.#ask(backend.rescore({ ...asked, pairs }));
  }

  /** `values` `[rows, width]`. */
  async #checkFinite(values: Float32Array, name: string, firstRow: number, width = this.dim): Promise<void> {
    const elsewhere = values.length > QUICKLY_CHECKED ? this.#backend.findNotFinite?.(values) : undefined;
    const check = elsewhere ?? findNotFinite(values);
    const index = await this.#ask(check);
    if (index >= 0) throw notFinite(values, index, width, name, firstRow);
  }

  /** Rows as they are stored: the one place where numbers are rounded. */
  async #quantize(values: Float32Array, name: string, firstRow: number): Promise<StoredRows> {
    const quantizing = this.#backend.quantize?.(values) ?? quantizeRows(values, this);
    const { rows, overflow } = await this.#ask(quantizing);
    if (overflow >= 0) throw overflowed(values, overflow, this, name, firstRow);
    return rows;
  }

  /** Bits are compared with bits; all other rows are scored with the query as it was given. */
  async #prepare({ values, q, weights }: OwnedQueries): Promise<AskedQueries> {
    await this.#checkFinite(values, 'queries', 0);
    if (weights !== undefined) await this.#checkFinite(weights, 'weights', 0, 1 + this.features);
    if (this.dtype !== 'binary') return { queries: { dtype: 'f32', values }, q, weights };
    return { queries: (await this.#quantize(values, 'queries', 0)) as StoredQueries, q, weights };
  }

  #ask<T>(answer: Promise<T>): Promise<T> {
    return deviceErrors(this.#device, answer);
  }

  #mutate<T>(action: () => T | Promise<T>): Promise<T> {
    const result = this.#mutations.then(action);
    this.#mutations = result.catch(() => {});
    return result;
  }

  #checkOpen(method: string): void {
    if (this.#disposed === undefined) return;
    throw new SeineError('ERR_CLOSED', `${method} was called on rows that are disposed: upload them again.`);
  }

  /** Searches bound to it may be under way; those bound later are waited for as well, which does no harm. */
  #retire(backend: BackendRows): void {
    const retired = Promise.allSettled(this.#searches).then(() => backend.dispose());
    this.#retiring.add(retired);
    const done = () => this.#retiring.delete(retired);
    retired.then(done, done);
  }

  async #disposeOnceIdle(): Promise<void> {
    await this.#mutations;
    await Promise.allSettled(this.#searches);
    await Promise.allSettled(this.#retiring);
    this.#onDispose();
    await this.#backend.dispose();
  }
}
