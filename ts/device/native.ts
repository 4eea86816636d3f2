import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ERRORS, type ErrorCode, SeineError } from '../core/errors.ts';
import type { Dtype, Metric } from '../core/types.ts';
import type { StoredNumbers } from './storedRows.ts';

declare const handle: unique symbol;
/** A device of the addon; freed when it is collected. */
export interface NativeBackend {
  readonly [handle]: 'backend';
}
/** Rows of the addon. */
export interface NativeRows {
  readonly [handle]: 'rows';
}

/**
 * What the addon exports. It checks types and sizes once more, so that no argument can crash it; its errors carry
 * a `code` of `ERRORS` and become `SeineError` through `nativeError`. Typed arrays must not be changed or detached
 * before the promise settles.
 */
export interface NativeAddon {
  readonly version: string;
  /** Instruction-set levels that this processor can run, best first. */
  supportedIsas(): string[];
  /**
   * `isa` is one of `supportedIsas()`, or '' for the best; the first call starts the pool of the process. `coded`:
   * rows get int8 codes, which searches read first.
   */
  openCpu(isa: string, threads: number, coded: boolean): NativeBackend;
  /**
   * Only in builds with CUDA: opens its devices with these numbers, without any the first that can be used, or rejects
   * with why there is none. Blocks of `blockRows` rows, a power of two from 32 on, lie on them in turn.
   */
  openCuda?(threads: number, devices: Uint32Array, blockRows: number): Promise<NativeBackend>;
  /** Whether the processor imitates the CUDA device, in a build for tests. */
  readonly cudaEmulated?: boolean;
  describe(backend: NativeBackend): string;
  /**
   * `metric` is an index of `METRICS`, `dtype` of `DTYPES`; no features where they are left out, codes if the backend
   * has any unless `coded` is false.
   */
  createRows(
    backend: NativeBackend,
    dim: number,
    metric: number,
    dtype: number,
    features?: number,
    coded?: boolean,
  ): NativeRows;
  bytes(rows: NativeRows): number;
  /**
   * What the searches so far did, on the cpu device: queries; those answered from the rows alone, since codes would
   * not exclude enough; rows that were scored in float32 for the other queries.
   */
  scanTotals(rows: NativeRows): { queries: number; open: number; scored: number };
  /**
   * Fills what the codes tell about the canonical scores of the rows `data` `[rows, dim]` (64 at most), negated for
   * l2: bounds, and whether the scan keeps a row if the threshold is `thresholds[row]`. For tests.
   */
  certify(
    isa: string,
    metric: number,
    dim: number,
    data: Float32Array,
    query: Float32Array,
    thresholds: Float32Array,
    lows: Float32Array,
    highs: Float32Array,
    reaches: Uint32Array,
    features?: Float32Array,
    weights?: Float32Array,
  ): void;
  /**
   * Copies float32 rows, and features where rows have any, at once, for the `append` that follows: index of the first NaN
   * or infinity, or -1; undefined if the device does not do that. Not while an append is under way.
   */
  take(rows: NativeRows, numbers: Float32Array, features?: Float32Array): number | undefined;
  /**
   * Numbers, codes or words of rows, the scales of int8 rows (else empty), and features where rows have any. Without
   * numbers the rows taken last.
   */
  append(
    rows: NativeRows,
    numbers: StoredNumbers | undefined,
    scales: Float32Array,
    features?: Float32Array,
  ): Promise<void>;
  /** Copies rows, as they were given, to the arrays: at once, so ask for a few megabytes at most. */
  read(
    rows: NativeRows,
    ids: Uint32Array,
    numbers: StoredNumbers,
    scales: Float32Array,
    features?: Float32Array,
  ): void;
  /** Writes words to an array of the columns; see `BackendRows`. */
  writeColumn(rows: NativeRows, array: number, at: number, words: Uint32Array): Promise<void>;
  /** Fills `mask` `[ceil(count / 32)]`, the promise tells how many pass; see `FilterProgram`. The number is for `cancel`. */
  filter(
    rows: NativeRows,
    steps: Uint32Array,
    intervals: Uint32Array,
    bits: Uint32Array,
    count: number,
    mask: Uint32Array,
  ): [filter: number, passing: Promise<number>];
  /**
   * Clears the bits of `words` that are not in `among`, which may be left out. `totals` `[2]` gets the number of bits
   * that are left and the number of blocks that hold any.
   */
  narrow(words: Uint32Array, among: Uint32Array | undefined, totals: Uint32Array): void;
  /** Fills `positions` with those of all bits of `words`, rising. */
  listBits(words: Uint32Array, positions: Uint32Array): void;
  /** Fills `ids` and `scores` `[q, k]`; see `SearchTask`, whose `rows` are `listed`, and `MaxsimTask`. The number is for `cancel`. */
  search(
    rows: NativeRows,
    queries: Float32Array | Uint32Array,
    q: number,
    k: number,
    count: number,
    allowed: Uint32Array | undefined,
    passing: number,
    ids: Uint32Array,
    scores: Float32Array,
    listed?: Uint32Array,
    weights?: Float32Array,
    offsets?: Uint32Array,
    documents?: Uint32Array,
  ): [search: number, done: Promise<void>];
  /** Fills `scores` `[pairs]` with those of the pairs; see `RescoreTask` and `MaxsimPairs`. */
  rescore(
    rows: NativeRows,
    queries: Float32Array | Uint32Array,
    q: number,
    pairQueries: Uint32Array,
    pairRows: Uint32Array,
    scores: Float32Array,
    weights?: Float32Array,
    offsets?: Uint32Array,
    documents?: Uint32Array,
  ): Promise<void>;
  /** Fills `ids` and `best` `[q, k]`; see `SelectTask`. */
  select(
    backend: NativeBackend,
    scores: Float32Array,
    q: number,
    n: number,
    k: number,
    lowest: boolean,
    ids: Uint32Array,
    best: Float32Array,
  ): Promise<void>;
  /** Fills `bestIds` and `best` `[q, k]`; see `MergeTask`. */
  merge(
    backend: NativeBackend,
    ids: Uint32Array,
    scores: Float32Array,
    starts: Uint32Array,
    q: number,
    lists: number,
    k: number,
    lowest: boolean,
    bestIds: Uint32Array,
    best: Float32Array,
  ): Promise<void>;
  /** Asks a search or a filter to stop; its promise settles soon, and its arrays hold nothing of use. */
  cancel(job: number): void;
  /** Frees the rows once searches under way are done. */
  disposeRows(rows: NativeRows): void;
  /** Index of the first NaN or infinity of values that are meant for such rows, or -1. */
  findNotFinite(rows: NativeRows, values: Float32Array): Promise<number>;
  /**
   * Writes rows `[rows, dim]` as `dtype` (an index of `DTYPES`) stores them to `codes`, for int8 also to `scales` and
   * `errors` `[rows]` (else empty). `isa` and `threads` as for `openCpu`. Index of the first
   * number that the dtype cannot hold, or -1.
   */
  quantize(
    isa: string,
    threads: number,
    values: Float32Array,
    dim: number,
    dtype: number,
    normalize: boolean,
    codes: StoredNumbers,
    scales: Float32Array,
    errors: Float32Array,
  ): Promise<number>;
  /**
   * One step of AdamW, in place; the first `decayed` parameters get weight decay. `constants`: ratio, beta1, beta2,
   * meanScale, varianceScale, epsilon, weightDecay, rate, as in `reference/adamW.ts`.
   */
  adamW(
    isa: string,
    threads: number,
    parameters: Float32Array,
    mean: Float32Array,
    variance: Float32Array,
    gradient: Float32Array,
    decayed: number,
    constants: Float64Array,
  ): Promise<void>;
  /** Sum of squares in float64, in the order of `reference/adamW.ts`. */
  squaredLength(isa: string, threads: number, values: Float32Array): Promise<number>;
  /**
   * `length` bytes of a file from `offset` (a multiple of 8) as memory; to be read only: what is written stays in
   * the mapping. Unmapped when it is collected. Throws ERR_NOT_FOUND, ERR_CORRUPT (the file is shorter),
   * ERR_OUT_OF_MEMORY, ERR_DEVICE_UNAVAILABLE (a runtime, such as Electron, that forbids outside memory).
   */
  mapFile(path: string, offset: number, length: number): ArrayBuffer;
}

/** Metrics and storage types by their number in the addon. */
export const METRICS: readonly Metric[] = ['ip', 'cosine', 'l2', 'hamming'];
export const DTYPES: readonly Dtype[] = ['f32', 'f16', 'bf16', 'int8', 'binary'];

const REMEDY =
  'install CMake 3.18 or newer and a C++20 compiler and run `npm run build:native` (in an installed package: ' +
  '`node node_modules/seine/scripts/buildNative.mjs`)';

type Loaded = { addon: NativeAddon; problem?: undefined } | { addon?: undefined; problem: SeineError };
let loaded: Loaded | undefined;

/** The addon, or undefined where it is not built or cannot be loaded: then `nativeProblem` says why. */
export function native(): NativeAddon | undefined {
  loaded ??= load();
  return loaded.addon;
}

/** Why there is no addon, and what to do about it. */
export function nativeProblem(): SeineError | undefined {
  loaded ??= load();
  return loaded.problem;
}

/** An error of the addon as a `SeineError`. */
export function nativeError(error: unknown): SeineError {
  if (error instanceof SeineError) return error;
  const { code, message } = error as { code?: unknown; message?: unknown };
  const known = typeof code === 'string' && code in ERRORS ? (code as ErrorCode) : 'ERR_INTERNAL';
  return new SeineError(known, String(message ?? error), { cause: error });
}

/** Linux with musl (Alpine) has a build of its own. */
function target(): string {
  return `${process.platform}${isMusl() ? 'musl' : ''}-${process.arch}`;
}

function isMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined;
}

function load(): Loaded {
  const name = process.env.SEINE_ADDON || `prebuilds/${target()}/seine.node`;
  const path = process.env.SEINE_ADDON || fileURLToPath(new URL(`../../${name}`, import.meta.url));
  const problem = (why: string, cause?: unknown): Loaded => ({
    problem: new SeineError('ERR_DEVICE_UNAVAILABLE', `${why}: ${REMEDY}.`, { cause }),
  });
  if (!existsSync(path)) return problem(`The native addon is not built (${name} is missing)`);
  try {
    return { addon: loadAddon(path) };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return problem(`The native addon cannot be loaded (${why})`, cause);
  }
}

/** The build of the addon at `path`. */
export function loadAddon(path: string): NativeAddon {
  return createRequire(import.meta.url)(resolve(path)) as NativeAddon;
}
