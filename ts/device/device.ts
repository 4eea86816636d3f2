import type {
  AttributeType,
  AttributeValue,
  DeviceName,
  Dtype,
  MergeOptions,
  Metric,
  Pairs,
  RescoreOptions,
  SearchOptions,
  SelectOptions,
  TopK,
  TopKList,
} from '../core/types.ts';
import type { BitsetPasses, PassingShape } from './bitsetPasses.ts';
import type { Quantized, StoredBatch, StoredQueries } from './storedRows.ts';

export interface UploadOptions {
  /** Numbers in a row: 1 to 65536. */
  dim: number;
  /** 'hamming' for dtype 'binary', any other for the others. */
  metric: Metric;
  dtype: Dtype;
  /** The attributes that rows may have, by name: what `filter.where` may ask about. */
  attributes?: Record<string, AttributeType> | undefined;
  /** Numbers beside each row that searches weigh: 1 to 256, for 'ip' and 'cosine'. None where it is left out. */
  features?: number | undefined;
  /** Whether a row is a document of several tokens, see `SearchOptions.offsets`: for 'ip', without features. */
  maxsim?: boolean | undefined;
}

/** Rows and what comes with them. A bare Float32Array stands for a batch that has only `data`. */
export interface RowBatch {
  /** `[rows, dim]`; with maxsim `[tokens, dim]` */
  data: Float32Array;
  /** `[rows + 1]`, with maxsim only: where the tokens of each document begin, and the end; equal where it has none. */
  offsets?: Uint32Array | undefined;
  /**
   * By name, each `[rows]`: one value a row, of the type that the upload declared; null where it is missing, which it
   * is in all rows of a batch that leaves the name out. Numbers are finite, timestamps valid dates or int64 above its
   * minimum. Values stay with their row: to change one, remove the row and append it anew.
   */
  attributes?: Record<string, readonly AttributeValue[]> | undefined;
  /** `[rows, features]`, finite: there if, and only if, the upload declared features. */
  features?: Float32Array | undefined;
}

/** Rows that one `append` added: ids `first` to `first + count - 1`. */
export interface Appended {
  first: number;
  count: number;
  generation: number;
}

/** What `compact` made of the rows. */
export interface Compacted {
  /** `[count]` as it was: the new id of each row, 0xFFFFFFFF for removed ones. */
  remap: Uint32Array;
  generation: number;
}

/** Rows resident on a device. Searches may run side by side; mutations act in the order of their calls. */
export interface Rows extends AsyncDisposable {
  readonly dim: number;
  readonly metric: Metric;
  readonly dtype: Dtype;
  /** Features of a row, see `SearchOptions.weights`; 0 if it has none. */
  readonly features: number;
  /** Whether rows are documents of several tokens. */
  readonly maxsim: boolean;
  /** Rows appended, those included that were removed since the last `compact`: the next row's id. */
  readonly count: number;
  /** Rows that are not removed. */
  readonly live: number;
  /** Raised by one by each append, remove and compact; 0 after the upload. */
  readonly generation: number;
  /** Bytes that the rows, their features and attributes take, on the device and on the host together. */
  readonly bytes: number;
  /**
   * The k best rows of each of the `queries` `[q, dim]`, with maxsim `[tokens, dim]`, as of the mutations called before
   * this call.
   */
  search(queries: Float32Array, options: SearchOptions): Promise<TopK>;
  /** The score of each pair of one of the `queries` `[q, dim]` and a row, as `search` would report it. */
  rescore(queries: Float32Array, pairs: Pairs, options?: RescoreOptions): Promise<Float32Array>;
  /**
   * Appends `data` `[rows, dim]`, stored as `dtype` says (see `quantize`): all of it or, on an error, none. Numbers
   * beyond the range of 'f16' or 'bf16' throw `ERR_OVERFLOW`, values of another type than the attribute was declared
   * with `ERR_ATTRIBUTE_TYPE`.
   */
  append(data: Float32Array | RowBatch): Promise<Appended>;
  /** Removes rows and returns how many of them were not removed before. Their ids are not given again until `compact`. */
  remove(ids: readonly number[] | Uint32Array): Promise<number>;
  /**
   * Frees the memory of removed rows and numbers the others anew, in the same order, from 0. Searches called before
   * it answer with the old ids (their `generation` tells), those called after it with the new ones. While it works
   * the rows are held twice.
   */
  compact(): Promise<Compacted>;
  /** Frees the memory once searches under way are done; later calls throw `ERR_CLOSED`. */
  dispose(): Promise<void>;
}

/** A place where exact search runs. */
export interface Device extends AsyncDisposable {
  readonly name: DeviceName;
  /** For people: the adapter, or the instruction set and threads. */
  readonly description: string;
  /** Makes a resident copy of `data` `[rows, dim]`, stored as `dtype` says; chunks of an iterable hold whole rows. */
  upload(
    data: Float32Array | RowBatch | AsyncIterable<Float32Array | RowBatch>,
    options: UploadOptions,
  ): Promise<Rows>;
  /**
   * The k best of each query's `scores` `[q, n]`: ids are columns, equal scores come by rising column, -0 is 0.
   * Infinities are scores like others, since canonical scores may overflow; NaN throws `ERR_NOT_FINITE`.
   */
  select(scores: Float32Array, options: SelectOptions): Promise<TopK>;
  /**
   * The k best entries of top-k lists of the same queries, such as tiles, stripes or shards have. Entries are told
   * apart by list, so an id that several lists hold comes as often. Lists that are not in order throw `ERR_ARGUMENT`.
   */
  merge(lists: readonly TopKList[], options: MergeOptions): Promise<TopK>;
  /** Disposes its residents once searches under way are done; later calls throw `ERR_CLOSED`. */
  close(): Promise<void>;
}

/*
 * What an implementation provides. `ResidentRows` and `OpenedDevice` stand in front of it and are the only
 * place for argument checks, order, snapshots, tombstones, padding, abort and use after close: a backend gets
 * checked, owned input and may keep or detach it, `allowed` excepted.
 */

export interface BackendDevice {
  readonly name: DeviceName;
  readonly description: string;
  createRows(options: UploadOptions): Promise<TokenRows>;
  select(task: SelectTask): Promise<Found>;
  /** Slots past the number of a query's entries may hold anything. */
  merge(task: MergeTask): Promise<Found>;
  /** Called once, after every resident is disposed. */
  close(): Promise<void>;
}

export interface BackendRows {
  readonly bytes: number;
  /**
   * Copies float32 rows `values` `[rows, dim]`, at least one, with their features at once to where the next `append`, which
   * says `taken`, wants them: index of the first NaN or infinity, or -1. Undefined if these rows are appended as others
   * are. Never while an append is under way; what is not appended is forgotten.
   */
  take?: ((values: Float32Array, features: Float32Array) => number | undefined) | undefined;
  /**
   * Appends rows of the dtype it was created for (finite, at least one row), all or nothing. Never two at a time,
   * but searches over earlier rows run meanwhile.
   */
  append(batch: StoredBatch): Promise<void>;
  /** Rows `ids`, to the bit as they were appended: a copy, made at once. */
  read(ids: Uint32Array): StoredBatch;
  search(task: SearchTask): Promise<Found>;
  /** Canonical scores of the pairs, at least one. */
  rescore(task: RescoreTask): Promise<Float32Array>;
  /** Index of the first NaN or infinity, or -1: for backends that check off the event loop; `values` stays intact. */
  findNotFinite?: ((values: Float32Array) => Promise<number>) | undefined;
  /** Like `quantizeRows` with its dim and dtype, to the bit: for backends that do it off the event loop. */
  quantize?: ((values: Float32Array) => Promise<Quantized>) | undefined;
  /**
   * Writes `words` from place `at` on into an array of the columns (`2 * column` and the next, see `columnWords`), which
   * is empty at first; what lies after them is dropped. Never two at a time, but filters over earlier rows run meanwhile.
   * For backends that evaluate filters: for others the host does.
   */
  writeColumn?(array: number, at: number, words: Uint32Array): Promise<void>;
  filter?(task: FilterTask): Promise<Filtered>;
  /** For backends that pass over bitsets faster than JavaScript. */
  readonly bitsets?: BitsetPasses | undefined;
  /** Whether a search takes less time by a list of the rows that pass than by their bitset: for backends that measured it. */
  listPays?: ((shape: PassingShape) => boolean) | undefined;
  /** Called once, when nothing is under way. */
  dispose(): Promise<void>;
}

/** A condition in postfix form, as `filterProgram` writes it. */
export interface FilterProgram {
  /** `[steps, 4]`: operation; of a leaf its column, first interval and number of intervals; of `bits` which bitset. */
  steps: Uint32Array;
  /** `[intervals, 4]`: lowest and highest key, two words each, the lower one first. Those of a leaf rise, disjoint. */
  intervals: Uint32Array;
  /** `[bitsets, ceil(count / 32)]`: what the host knows. */
  bits: Uint32Array;
  /** Bitsets on the stack at most. */
  depth: number;
}

export interface FilterTask {
  program: FilterProgram;
  /** Rows of the snapshot, at least 1; columns that the program names hold as many. */
  count: number;
  /** As for a search. */
  signal: AbortSignal | undefined;
}

/** The rows that pass. */
export interface Filtered {
  /** Bitset of `ceil(count / 32)` words, bits from `count` on 0. */
  mask: Uint32Array;
  passing: number;
}

/** What rows are scored with. */
export interface AskedQueries {
  /** `[q, dim]`, q >= 1, finite: words of bits for rows of dtype 'binary', else float32. */
  queries: StoredQueries;
  q: number;
  /** `[q, 1 + features]`, finite, for rows with features; else undefined. */
  weights: Float32Array | undefined;
  /** `[q + 1]` with maxsim: where the tokens of each query begin, and the end; `queries` are `[tokens, dim]` then. */
  offsets?: Uint32Array | undefined;
}

export interface SearchTask extends AskedQueries {
  /** 1 to `passing`. */
  k: number;
  /** Rows of the snapshot: only ids below it exist, whatever was appended since. At least 1. */
  count: number;
  /** Read-only bitset of `ceil(count / 32)` words: filter and tombstones in one, bits from `count` on are 0. */
  readonly allowed: Uint32Array | undefined;
  /** Read-only, rising: the rows that pass, in place of `allowed` where they are few. Without either all pass. */
  readonly rows: Uint32Array | undefined;
  /** Rows that pass. */
  passing: number;
  /** Once aborted the result is not used any more: stop soon, by any return or rejection. */
  signal: AbortSignal | undefined;
}

export interface RescoreTask extends AskedQueries {
  /** All of them there: queries below `q`, rows that were appended. */
  pairs: Pairs;
}

/** Rows that may be the tokens of documents. */
export interface TokenRows extends BackendRows {
  /** Search and rescoring of documents whose tokens are the rows. */
  readonly maxsim: MaxsimBackend;
}

export interface MaxsimBackend {
  search(task: MaxsimTask): Promise<Found>;
  rescore(task: MaxsimPairs): Promise<Float32Array>;
}

/** `count`, `allowed`, `rows` and `passing` are about documents, and so are the ids found. */
export interface MaxsimTask extends SearchTask {
  /** `[count + 1]`: where the tokens of each document begin among the rows, and the end. */
  documents: Uint32Array;
}

/** Pairs of a query and a document. */
export interface MaxsimPairs extends RescoreTask {
  /** As for a search. */
  documents: Uint32Array;
}

export interface SelectTask {
  /** `[q, n]`, q >= 1, without NaN and -0. */
  scores: Float32Array;
  q: number;
  n: number;
  /** 1 to `n`. */
  k: number;
  lowest: boolean;
}

export interface MergeTask {
  /** Of all entries, query by query and within it list by list: each list best first, without NaN and -0. */
  ids: Uint32Array;
  scores: Float32Array;
  /** `[q * lists + 1]`: where the entries of each query's lists begin, and the end. */
  starts: Uint32Array;
  q: number;
  lists: number;
  /** 1 to the largest number of entries of a query. */
  k: number;
  lowest: boolean;
}

/** Canonical scores in final order; since `k <= passing` every slot is filled. */
export interface Found {
  /** `[q, k]` */
  ids: Uint32Array;
  /** `[q, k]` */
  scores: Float32Array;
}
