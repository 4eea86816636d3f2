import type { SearchTask } from './device.ts';
import { type BufferPool, type Take, USAGE } from './webgpuBuffers.ts';
import { type GpuContext, readWords, submit } from './webgpuContext.ts';
import { BLOCK } from './webgpuInterleave.ts';
import { type Score, type Selecting, tileOf } from './webgpuPipelines.ts';
import {
  candidateBytes,
  partOf,
  type ScannedShard,
  SELECTION_BYTES,
  type ShardPart,
  survivorsOf,
} from './webgpuPlan.ts';
import type { PreparedQueries } from './webgpuQueries.ts';

/** Ids of rows that may be among the k best of each query; a count above `capacity` says that some are missing. */
export interface Candidates {
  /** `[slots, q]`, where `slots` is the largest count up to `capacity`, or more. */
  ids: Uint32Array;
  /** `[q]`; `OPEN` where it is not known. */
  counts: Uint32Array;
  capacity: number;
}

/** As in kernels/select.wgsl: more rows survived than there was room for. */
export const OPEN = 0xffffffff;

/** How rows are scored. */
export interface Scan {
  shards: readonly ScannedShard[];
  /** Chunks of a row. */
  chunks: number;
  /** Whether costs are known exactly. */
  exact: boolean;
  prepared: PreparedQueries;
  /** The kernel; or keys `[q, count]` of exact costs in its place, those of one shard. */
  score: Score | Uint32Array<ArrayBuffer>;
  /** Of how many blocks of slots one is in the sample by which others are excluded; 0 if none is. */
  step: number;
  /** Candidates of a query that are read back at once. */
  usual: number;
}

const THREADS = 256;
const MAX_GROUPS = 65535;
/** Entries that a workgroup counts before it adds to the histogram of all. */
const ENTRIES_PER_GROUP = 4096;
/** What WebGPU asks of offsets of uniform bindings. */
const ALIGNMENT = 256;
const WORD = 4;

/** One dispatch: of workgroups `x`, at most as many as WebGPU allows, by `y`. */
interface Dispatch {
  kernel: Promise<GPUComputePipeline>;
  group: GPUBindGroup;
  x: number;
  y: number;
}

/**
 * Scores and selects on the device: one submit. How many candidates a query has is known only when they are read,
 * so the usual number comes with that submit and the rest, where there is one, with a second that only copies.
 */
export function findCandidates(
  gpu: GpuContext,
  pool: BufferPool,
  scan: Scan,
  task: SearchTask,
  capacity: number,
): Promise<Candidates> {
  const { device } = gpu;
  const { q } = task;
  const { queries, bounds } = scan.prepared;
  return pool.lend(async (take) => {
    const slots = Math.min(scan.usual, capacity);
    const storage = USAGE.storage | USAGE.copyTarget;
    const buffers: SearchBuffers = {
      params: await take(2 * scan.shards.length * ALIGNMENT, USAGE.uniform | USAGE.copyTarget),
      queries: await take(queries.byteLength, storage),
      bounds: await take(bounds.byteLength, storage),
      selections: await take(q * SELECTION_BYTES, storage),
      candidates: await take(candidateBytes(q, capacity), storage | USAGE.copySource),
    };
    const readback = await take(candidateBytes(q, slots), USAGE.mapRead | USAGE.copyTarget);
    const planned = new PlannedSearch(gpu, take, scan, task, capacity, buffers);
    const dispatches = await planned.dispatches();
    const pipelines = await Promise.all(dispatches.map(({ kernel }) => kernel));

    gpu.checkAlive();
    device.pushErrorScope('validation');
    device.queue.writeBuffer(buffers.queries, 0, queries);
    device.queue.writeBuffer(buffers.bounds, 0, bounds);
    planned.upload();
    const encoder = device.createCommandEncoder();
    encoder.clearBuffer(buffers.selections, 0, q * SELECTION_BYTES);
    encoder.clearBuffer(buffers.candidates, 0, candidateBytes(q, 0));
    const pass = encoder.beginComputePass();
    dispatches.forEach(({ group, x, y }, index) => {
      pass.setPipeline(pipelines[index]!);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(Math.min(x, MAX_GROUPS), y);
    });
    pass.end();
    encoder.copyBufferToBuffer(buffers.candidates, 0, readback, 0, candidateBytes(q, slots));
    const words = await submit(gpu, encoder, readback, candidateBytes(q, slots));
    const counts = words.subarray(0, q);
    const read = words.subarray(q);
    const most = counts.reduce((max, count) => (count > capacity ? max : Math.max(max, count)), 0);
    if (most <= slots) return { ids: planned.ids(read), counts, capacity };

    const from = candidateBytes(q, slots);
    const rest = await take(candidateBytes(q, most) - from, USAGE.mapRead | USAGE.copyTarget);
    gpu.checkAlive();
    const copying = device.createCommandEncoder();
    copying.copyBufferToBuffer(buffers.candidates, from, rest, 0, candidateBytes(q, most) - from);
    device.queue.submit([copying.finish()]);
    const ids = new Uint32Array(q * most);
    ids.set(read);
    ids.set(await readWords(gpu, rest, candidateBytes(q, most) - from), read.length);
    return { ids: planned.ids(ids), counts, capacity };
  });
}

interface SearchBuffers {
  params: GPUBuffer;
  queries: GPUBuffer;
  bounds: GPUBuffer;
  selections: GPUBuffer;
  candidates: GPUBuffer;
}

/** The dispatches of a search, and what they take. */
class PlannedSearch {
  readonly #gpu: GpuContext;
  readonly #take: Take;
  readonly #scan: Scan;
  readonly #task: SearchTask;
  readonly #capacity: number;
  readonly #buffers: SearchBuffers;
  readonly #parts: readonly ShardPart[];
  readonly #uploads: { buffer: GPUBuffer; at: number; words: Uint32Array<ArrayBuffer> }[] = [];
  #params = 0;

  constructor(
    gpu: GpuContext,
    take: Take,
    scan: Scan,
    task: SearchTask,
    capacity: number,
    buffers: SearchBuffers,
  ) {
    this.#gpu = gpu;
    this.#take = take;
    this.#scan = scan;
    this.#task = task;
    this.#capacity = capacity;
    this.#buffers = buffers;
    this.#parts = scan.shards.map((shard) => partOf(shard, task)).filter(({ slots }) => slots > 0);
  }

  async dispatches(): Promise<Dispatch[]> {
    const masks: GPUBuffer[] = [];
    for (const { passing } of this.#parts) {
      const mask = await this.#take(passing.byteLength, USAGE.storage | USAGE.copyTarget);
      if (passing.length > 0) this.#uploads.push({ buffer: mask, at: 0, words: passing });
      masks.push(mask);
    }
    const { score, step } = this.#scan;
    return step > 0 && typeof score === 'function'
      ? this.#pruned(masks, score, step)
      : this.#whole(masks, score);
  }

  /** Writes what the dispatches take. */
  upload(): void {
    for (const { buffer, at, words } of this.#uploads) {
      this.#gpu.device.queue.writeBuffer(buffer, at, words);
    }
  }

  /** Ids of candidates that have the numbers of slots. */
  ids(numbers: Uint32Array): Uint32Array {
    const { rows } = this.#task;
    return rows === undefined ? numbers : numbers.map((number) => rows[number]!);
  }

  /** Keys of all slots, from which the k-th is selected by all workgroups. */
  async #whole(masks: readonly GPUBuffer[], score: Scan['score']): Promise<Dispatch[]> {
    const { q } = this.#task;
    const groups: GPUBindGroup[] = [];
    for (const [index, part] of this.#parts.entries()) {
      const keys = await this.#keys(part.slots, this.#scan.exact ? 1 : 2);
      if (typeof score !== 'function') this.#uploads.push({ buffer: keys, at: 0, words: score });
      groups.push(this.#group(part, masks[index]!, keys, { stride: part.slots, offset: 0, step: 1 }));
    }
    const eachPart = (entry: Selecting, entries: number): Dispatch[] =>
      this.#parts.map(({ slots }, index) => ({
        kernel: this.#select(entry),
        group: groups[index]!,
        x: Math.ceil(slots / entries),
        y: q,
      }));
    const scored = typeof score === 'function' ? this.#scored(score, groups, 'all', 1) : [];
    const picked: Dispatch = { kernel: this.#select('pick'), group: groups[0]!, x: q, y: 1 };
    const levels = [0, 1, 2, 3].flatMap(() => [...eachPart('histogram', ENTRIES_PER_GROUP), picked]);
    return [...scored, ...levels, ...eachPart('compact', THREADS)];
  }

  /** Keys of a sample, then of those slots only that they do not exclude. */
  async #pruned(masks: readonly GPUBuffer[], score: Score, step: number): Promise<Dispatch[]> {
    const { q } = this.#task;
    const sampled = this.#parts.map(({ slots }) => Math.ceil(Math.ceil(slots / BLOCK) / step) * BLOCK);
    const stride = sampled.reduce((sum, slots) => sum + slots);
    const sample = await this.#keys(stride, 1);
    let offset = 0;
    const samples = this.#parts.map((part, index) => {
      const group = this.#group(part, masks[index]!, sample, { stride, offset, step });
      offset += sampled[index]!;
      return group;
    });
    const room = survivorsOf(this.#task, step);
    const survivors = await this.#keys(room, 3);
    const groups = this.#parts.map((part, index) =>
      this.#group(part, masks[index]!, survivors, { stride: room, offset: 0, step: 1 }),
    );
    return [
      ...this.#scored(score, samples, 'sample', step),
      { kernel: this.#select('choose'), group: samples[0]!, x: q, y: 1 },
      ...this.#scored(score, groups, 'pruned', 1),
      { kernel: this.#select('refine'), group: groups[0]!, x: q, y: 1 },
    ];
  }

  #scored(
    score: Score,
    groups: readonly GPUBindGroup[],
    keys: Parameters<Score>[1],
    step: number,
  ): Dispatch[] {
    const { q } = this.#task;
    const tile = tileOf(q);
    return this.#parts.map(({ slots }, index) => ({
      kernel: score(tile, keys),
      group: groups[index]!,
      x: Math.ceil(slots / (BLOCK * step)),
      y: Math.ceil(q / tile),
    }));
  }

  #select(entry: Selecting): Promise<GPUComputePipeline> {
    return this.#gpu.scanning.select(entry, this.#scan.exact);
  }

  /** For so many words of each of so many entries a query. */
  #keys(entries: number, words: number): Promise<GPUBuffer> {
    return this.#take(this.#task.q * entries * words * WORD, USAGE.storage | USAGE.copyTarget);
  }

  #group(
    { shard, slots, first, mode }: ShardPart,
    mask: GPUBuffer,
    keys: GPUBuffer,
    { stride, offset, step }: { stride: number; offset: number; step: number },
  ): GPUBindGroup {
    const { q, k } = this.#task;
    const { params, queries, bounds, selections, candidates } = this.#buffers;
    const words = Uint32Array.of(
      ...[slots, first, this.#scan.chunks, q],
      ...[stride, offset, step, mode, k, this.#capacity],
    );
    const at = this.#params++ * ALIGNMENT;
    this.#uploads.push({ buffer: params, at, words });
    const buffers = [shard.rows, shard.facts, mask, queries, bounds, keys, selections, candidates];
    const entries = buffers.map((buffer, index) => ({
      binding: index + 1,
      resource: { buffer, size: Math.min(buffer.size, this.#gpu.maxBinding) },
    }));
    const uniform = { binding: 0, resource: { buffer: params, offset: at, size: words.byteLength } };
    const { layout } = this.#gpu.scanning;
    return this.#gpu.device.createBindGroup({ layout, entries: [uniform, ...entries] });
  }
}
