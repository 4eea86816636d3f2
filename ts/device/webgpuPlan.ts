import { wordsFor } from '../core/bitset.ts';
import { lowerBound } from '../core/lowerBound.ts';
import type { SearchTask } from './device.ts';
import type { GpuContext } from './webgpuContext.ts';
import { BLOCK } from './webgpuInterleave.ts';
import { QUERIES_PER_PASS, TILE } from './webgpuPipelines.ts';
import type { WebgpuShard } from './webgpuShard.ts';

/** What the kernels read of a shard. */
export type ScannedShard = Pick<WebgpuShard, 'first' | 'capacity'> & { rows: GPUBuffer; facts: GPUBuffer };

/** What a search looks at in a shard; `mode` as in kernels/scanGrid.wgsl. */
export interface ShardPart {
  shard: ScannedShard;
  /** Rows, or the listed ones. */
  slots: number;
  /** Id of the first row, or place in the list of the first listed row. */
  first: number;
  mode: 0 | 1 | 2;
  /** Copied, since others may share them and they may lie in any kind of buffer: none, bits, or rows from the shard's first. */
  passing: Uint32Array<ArrayBuffer>;
}

/** How a search is tried: what it leaves open is tried the next way. */
export interface Way {
  /** Whether rows are scored by their codes. */
  codes: boolean;
  /** Of how many blocks of slots one is in the sample, see `sampleStep`. */
  step: number;
  /** Candidates that there is room for per query. */
  capacity: number;
}

/** A sample is one block of slots in this many at most; a small one, which a workgroup selects from in no time, in fewer. */
const LEAST_STEP = { any: 16, small: 4 };
const SMALL_SAMPLE = 4096;
/** Rows of a sample at least. */
const LEAST_SAMPLE = 256;
/** Room for survivors, of what is expected where all ends are exact, and beyond. */
const ROOM = { share: 8, spare: 1024 };
const KEY_BYTES = 2 ** 28;
const MAX_QUERIES = 1024;
/** Bytes of a `Selection` in kernels/scanKeys.wgsl. */
export const SELECTION_BYTES = 260 * 4;

/**
 * Keys of a sample tell a key that k rows certainly reach, so that keys of other rows need not be written: of `step`
 * blocks of slots one is in the sample, and some k * step rows survive, as many. 0 if that would be too large a part of
 * the rows to pay, or one query's keys would not fit a binding: then all keys are written, shard by shard.
 */
export function sampleStep(
  { maxBinding }: GpuContext,
  task: SearchTask,
  shards: readonly Pick<WebgpuShard, 'capacity'>[],
): number {
  const { k, passing } = task;
  const step = Math.floor(Math.min(Math.sqrt(passing / k), passing / LEAST_SAMPLE));
  if (step < (passing / step <= SMALL_SAMPLE ? LEAST_STEP.small : LEAST_STEP.any)) return 0;
  return Math.max(12 * survivorsOf(task, step), 4 * sampleSlots(shards, step)) <= maxBinding ? step : 0;
}

/** Slots of a sample at most. */
const sampleSlots = (shards: readonly Pick<WebgpuShard, 'capacity'>[], step: number): number =>
  shards.reduce((sum, { capacity }) => sum + Math.ceil(capacity / BLOCK / step) * BLOCK, 0);

/** Survivors that there is room for per query. */
export const survivorsOf = ({ k, passing }: SearchTask, step: number): number =>
  Math.min(ROOM.share * k * step + ROOM.spare, passing);

/** Bytes of the counts and of `slots` candidates each of `q` queries. */
export const candidateBytes = (q: number, slots: number): number => 4 * q * (1 + slots);

/** Candidates that a query usually has: the k best, and beside them those that tie, if costs are exact, or are undecided. */
export const usualCandidates = (k: number, exact: boolean): number =>
  exact ? k + Math.ceil(k / 8) + 32 : k + Math.ceil(k / 16) + 8;

/** The same by codes: of 20,000 random directions of 384 numbers four to eight for each of the k. */
export const usualByCodes = (k: number): number => 6 * k + 32;

/** Queries of one submit, so that they, their keys and candidates stay within the device's limits. */
export function queriesPerSubmit(
  gpu: GpuContext,
  task: SearchTask,
  shards: readonly Pick<WebgpuShard, 'capacity'>[],
  { step, capacity }: Way,
  queryBytes: number,
): number {
  const largest = shards.reduce((most, shard) => Math.max(most, shard.capacity), 0);
  const most = Math.min(
    MAX_QUERIES,
    step > 0
      ? gpu.maxBinding / Math.max(12 * survivorsOf(task, step), 4 * sampleSlots(shards, step))
      : Math.min(KEY_BYTES / (8 * task.count), gpu.maxBinding / (8 * largest)),
    gpu.maxBinding / Math.max(queryBytes, SELECTION_BYTES, candidateBytes(1, capacity)),
  );
  const whole = most >= QUERIES_PER_PASS ? QUERIES_PER_PASS : TILE;
  return most >= TILE ? Math.floor(most / whole) * whole : Math.max(1, Math.floor(most));
}

/** What of a shard a search looks at. */
export function partOf(shard: ScannedShard, { count, allowed, rows }: SearchTask): ShardPart {
  const end = Math.min(shard.first + shard.capacity, count);
  if (rows !== undefined) {
    const first = lowerBound(rows, shard.first);
    const listed = rows.slice(first, lowerBound(rows, end));
    const passing = Uint32Array.from(listed, (row) => row - shard.first);
    return { shard, slots: listed.length, first, mode: 2, passing };
  }
  const { first } = shard;
  const slots = Math.max(0, end - first);
  if (allowed === undefined) return { shard, slots, first, mode: 0, passing: new Uint32Array() };
  const words = allowed.subarray(first / 32, first / 32 + wordsFor(slots));
  return { shard, slots, first, mode: 1, passing: Uint32Array.from(words) };
}
