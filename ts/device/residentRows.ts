import '../core/asyncDispose.ts';
import { SeineError } from '../core/errors.ts';
import type { DeviceName, Dtype, Metric, Pairs, RescoreOptions, SearchOptions, TopK } from '../core/types.ts';
import { untilAborted } from '../core/untilAborted.ts';
import { checkPairs, copyPairs } from './checkPairs.ts';
import { copyBatch, type OwnedBatch } from './copyBatch.ts';
import { copyKept } from './copyKept.ts';
import { copyQueries, type OwnedQueries } from './copyQueries.ts';
import type { Appended, BackendRows, Compacted, RowBatch, Rows, UploadOptions } from './device.ts';
import { deviceErrors } from './deviceErrors.ts';
import { GatheredSearches } from './gatheredSearches.ts';
import { Intake } from './intake.ts';
import { RowAttributes } from './rowAttributes.ts';
import { appended, emptySnapshot, removed, type Snapshot } from './snapshot.ts';
import { emptyTopK, fillTopK, isDistance } from './topK.ts';
import {
  type CheckedSearchOptions,
  checkIds,
  checkKeys,
  checkRoom,
  checkSearchOptions,
  copyIds,
} from './validate.ts';

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
  readonly maxsim: boolean;
  readonly #device: DeviceName;
  readonly #options: UploadOptions;
  readonly #intake: Intake;
  #backend: BackendRows;
  #gathered: GatheredSearches;
  readonly #create: () => Promise<BackendRows>;
  readonly #onDispose: () => void;
  #snapshot: Snapshot = emptySnapshot;
  #attributes: RowAttributes;
  /** Settles, always fulfilled, when every mutation called so far has acted. */
  #mutations: Promise<unknown> = Promise.resolve();
  /** Mutations called that have not acted. */
  #mutating = 0;
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
    this.maxsim = options.maxsim ?? false;
    this.#options = options;
    this.#intake = new Intake(device, options);
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
    const owned = copyQueries(queries, checked, this);
    const work = this.#track(this.#searchSnapshot(owned, checked, this.#bound()));
    return checked.signal === undefined ? work : untilAborted(work, checked.signal);
  }

  async rescore(queries: Float32Array, pairs: Pairs, options: RescoreOptions = {}): Promise<Float32Array> {
    this.#checkOpen('rescore');
    const checked = checkKeys(options, 'options', ['weights', 'offsets']);
    const ownedPairs = copyPairs(pairs);
    const owned = copyQueries(queries, checked, this);
    return this.#track(this.#rescoreSnapshot(owned, ownedPairs, this.#bound()));
  }

  async append(data: Float32Array | RowBatch): Promise<Appended> {
    this.#checkOpen('append');
    const owned = this.#own(data, 0);
    return this.#mutate(async () => {
      const first = this.#snapshot.count;
      await this.#store(owned, 0);
      this.#snapshot = { ...this.#snapshot, generation: this.#snapshot.generation + 1 };
      return { first, count: owned.count, generation: this.#snapshot.generation };
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
  async load(data: unknown): Promise<void> {
    this.#checkOpen('upload');
    // A document's tokens have no numbers of their own: errors count those of the chunk.
    const firstRow = this.maxsim ? 0 : this.#snapshot.count;
    const owned = this.#own(data, firstRow);
    await this.#mutate(() => this.#store(owned, firstRow));
  }

  /** The first chunk of an upload, which was copied before there were rows. */
  async loadOwned(owned: OwnedBatch): Promise<void> {
    this.#checkOpen('upload');
    await this.#mutate(() => this.#store(owned, 0));
  }

  /** A batch that is the caller's no more: copied to its place on the device, if nothing is to act before, or in memory. */
  #own(data: unknown, firstRow: number): OwnedBatch {
    return copyBatch(data, this.#options, (values, features) => {
      if (this.#mutating > 0) return false;
      checkRoom(this.#snapshot.count, values.length / this.dim);
      return this.#intake.take(this.#backend, values, features, firstRow);
    });
  }

  async #store(owned: OwnedBatch, firstRow: number): Promise<void> {
    const { count, attributes = {} } = owned;
    checkRoom(this.#snapshot.count, count);
    const batch = await this.#intake.batch(this.#backend, owned, firstRow);
    await this.#ask(this.#attributes.write(this.#snapshot.count, count, attributes));
    if (count > 0) await this.#ask(this.#backend.append(batch));
    this.#attributes.append(this.#snapshot.count, attributes);
    this.#snapshot = appended(this.#snapshot, count);
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
    { k, filter, signal }: CheckedSearchOptions,
    bound: Promise<Bound>,
  ): Promise<TopK> {
    const { snapshot, attributes, backend, gathered } = await bound;
    const asked = await this.#intake.queries(backend, owned);
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
    const asked = await this.#intake.queries(backend, owned);
    if (pairs.rows.length === 0) return new Float32Array();
    return this.#ask(backend.rescore({ ...asked, pairs }));
  }

  #ask<T>(answer: Promise<T>): Promise<T> {
    return deviceErrors(this.#device, answer);
  }

  #mutate<T>(action: () => T | Promise<T>): Promise<T> {
    this.#mutating++;
    const result = this.#mutations.then(action).finally(() => this.#mutating--);
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
