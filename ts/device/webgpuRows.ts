import { SeineError } from '../core/errors.ts';
import type { Pairs } from '../core/types.ts';
import type {
  AskedQueries,
  Filtered,
  FilterTask,
  Found,
  MaxsimBackend,
  RescoreTask,
  SearchTask,
  TokenRows,
  UploadOptions,
} from './device.ts';
import { pacer } from './pacer.ts';
import { BestRows } from './reference/bestRows.ts';
import { quantizeRows } from './reference/quantizeRows.ts';
import { chunkOf, readRows } from './reference/readRows.ts';
import { rescore } from './reference/rescore.ts';
import { rowScorer } from './reference/rowScorer.ts';
import { type Chunk, drain, scan } from './reference/scan.ts';
import { countRows, type Quantized, type StoredBatch, sliceRows } from './storedRows.ts';
import { isDistance } from './topK.ts';
import { BufferPool } from './webgpuBuffers.ts';
import { codeChunks, hasCodes } from './webgpuCodes.ts';
import { WebgpuColumns } from './webgpuColumns.ts';
import type { GpuContext } from './webgpuContext.ts';
import { filterOnGpu } from './webgpuFilter.ts';
import { BLOCK } from './webgpuInterleave.ts';
import { maxsimOnGpu, maxsimPairsOnGpu } from './webgpuMaxsim.ts';
import {
  candidateBytes,
  queriesPerSubmit,
  sampleStep,
  usualByCodes,
  usualCandidates,
  type Way,
} from './webgpuPlan.ts';
import { queriesByCodes, queriesByRows } from './webgpuQueries.ts';
import { fitsQueries, queryBytes, rescoreOnGpu, similaritiesOnGpu } from './webgpuRescore.ts';
import { type Candidates, findCandidates, OPEN, type Scan } from './webgpuSearch.ts';
import { chunksOf, WebgpuShard, widthOf } from './webgpuShard.ts';

/** Candidates that there is room for per query beyond 2k: more rows than that are rarely undecided. */
const SPARE = 1024;
/** Codes are read for k up to one in this many of the rows that pass. */
const CODES_SHARE = 16;

/**
 * Rows on a WebGPU device. The device scores in float32 and names every row that may be among the k best by a
 * proven bound; their canonical scores are computed on the host, which therefore keeps a copy of the rows.
 */
export class WebgpuRows implements TokenRows {
  readonly #gpu: GpuContext;
  readonly #options: UploadOptions;
  readonly #pool: BufferPool;
  readonly #columns: WebgpuColumns;
  #shards: WebgpuShard[] = [];
  #count = 0;

  constructor(gpu: GpuContext, options: UploadOptions) {
    this.#gpu = gpu;
    this.#options = options;
    this.#pool = new BufferPool(gpu.device);
    this.#columns = new WebgpuColumns(gpu);
  }

  quantize(values: Float32Array): Promise<Quantized> {
    return this.#gpu.quantize?.(values, this.#options) ?? quantizeRows(values, this.#options);
  }

  get bytes(): number {
    return this.#shards.reduce((sum, shard) => sum + shard.bytes, this.#columns.bytes);
  }

  async append({ rows, features }: StoredBatch): Promise<void> {
    this.#gpu.checkAlive();
    const { dim, features: width = 0 } = this.#options;
    const count = this.#count + countRows(rows, dim);
    const shards = [...this.#shards];
    const created: WebgpuShard[] = [];
    try {
      for (let row = this.#count; row < count; ) {
        let last = shards.at(-1);
        if (last === undefined || row === last.first + last.capacity) {
          last = await this.#createShard(row, count - row);
          shards.push(last);
          created.push(last);
        }
        const end = Math.min(count, last.first + last.capacity);
        const [from, to] = [row - this.#count, end - this.#count];
        const part = {
          rows: sliceRows(rows, dim, from, to),
          features: features.subarray(from * width, to * width),
        };
        await last.write(part, row - last.first);
        row = end;
      }
      await this.#gpu.device.queue.onSubmittedWorkDone();
      this.#gpu.checkAlive();
    } catch (error) {
      for (const shard of created) shard.destroy();
      throw error;
    }
    this.#shards = shards;
    this.#count = count;
  }

  read(ids: Uint32Array): StoredBatch {
    return readRows(this.#chunks(), this.#options, ids);
  }

  async search(task: SearchTask): Promise<Found> {
    this.#gpu.checkAlive();
    const { q, k } = task;
    const { dim, metric } = this.#options;
    const way: Way = {
      codes: this.#codesPay(task),
      step: sampleStep(this.#gpu, task, this.#shards),
      capacity: Math.min(2 * k + SPARE, task.passing),
    };
    if (!this.#isWorthwhile(way, task)) return scan(this.#chunks(), dim, metric, task);
    const found: Found = { ids: new Uint32Array(q * k), scores: new Float32Array(q * k) };
    const step = queriesPerSubmit(this.#gpu, task, this.#shards, way, queryBytes(this.#options));
    for (let first = 0; first < q; first += step) {
      task.signal?.throwIfAborted();
      const part = partOf(task, first, Math.min(first + step, q), dim);
      const candidates = await this.#find(part, way);
      for (let query = 0; query < part.q; query++) {
        await this.#settle(part, query, candidates, way, found, first + query);
      }
    }
    return found;
  }

  async rescore(task: RescoreTask): Promise<Float32Array> {
    this.#gpu.checkAlive();
    const options = this.#options;
    if (!fitsQueries(this.#gpu, task.q, options)) {
      return rescore(this.#chunks(), options.dim, options.metric, task);
    }
    const pipeline = await this.#gpu.rescoring(options);
    return rescoreOnGpu(this.#gpu, this.#pool, pipeline, this.#shards, options, task);
  }

  /** Every product is computed exactly, and none is left out. */
  readonly maxsim: MaxsimBackend = {
    search: async (task) => maxsimOnGpu(await this.#products(task), task),
    rescore: async (task) => maxsimPairsOnGpu(await this.#products(task), task),
  };

  /** Exact products of tokens of these queries and rows. */
  async #products({ queries, offsets }: AskedQueries): Promise<(pairs: Pairs) => Promise<Float64Array>> {
    this.#gpu.checkAlive();
    const q = offsets!.at(-1)!;
    if (!fitsQueries(this.#gpu, q, this.#options)) {
      throw new SeineError(
        'ERR_OUT_OF_MEMORY',
        `The webgpu device has no room for ${q} tokens of queries at once: ask for fewer queries.`,
      );
    }
    const pipeline = await this.#gpu.rescoring(this.#options);
    return (pairs) => {
      const task = { queries, q, pairs };
      return similaritiesOnGpu(this.#gpu, this.#pool, pipeline, this.#shards, this.#options, task);
    };
  }

  writeColumn(array: number, at: number, words: Uint32Array): Promise<void> {
    return this.#columns.write(array, at, words);
  }

  filter(task: FilterTask): Promise<Filtered> {
    return filterOnGpu(this.#gpu, this.#pool, this.#columns, task);
  }

  async dispose(): Promise<void> {
    this.#columns.destroy();
    for (const shard of this.#shards) shard.destroy();
    this.#pool.destroy();
    this.#shards = [];
    this.#count = 0;
  }

  /** Where most rows would be rescored, or their ids do not fit a buffer, the host scans alone. */
  #isWorthwhile({ capacity }: Way, { k, passing }: SearchTask): boolean {
    return passing > 2 * k && candidateBytes(1, capacity) <= this.#gpu.maxBinding;
  }

  /** Full shards but for the last one; at least half as large as all before it, so that there are few. */
  async #createShard(first: number, rows: number): Promise<WebgpuShard> {
    const most = Math.floor(this.#gpu.maxShardBytes / widthOf(this.#options) / BLOCK) * BLOCK;
    const wanted = Math.ceil(Math.max(rows, first / 2) / BLOCK) * BLOCK;
    return WebgpuShard.create(this.#gpu, this.#options, first, Math.min(wanted, Math.max(BLOCK, most)));
  }

  #chunks(): Chunk[] {
    return this.#shards.map(({ first, stored }) => ({ first, ...stored }));
  }

  /** Whether codes are likely to exclude most rows: where there are codes, and neither the filter nor k leaves few rows. */
  #codesPay({ k, passing, rows }: SearchTask): boolean {
    return hasCodes(this.#options) && rows === undefined && k <= passing / CODES_SHARE;
  }

  async #find(task: SearchTask, { codes, step, capacity }: Way): Promise<Candidates> {
    const scan = codes ? await this.#scanOfCodes(task, step) : this.#scanOfRows(task, step);
    return findCandidates(this.#gpu, this.#pool, scan, task, capacity);
  }

  #scanOfRows(task: SearchTask, step: number): Scan {
    const exact = this.#options.dtype === 'binary';
    return {
      shards: this.#shards,
      chunks: chunksOf(this.#options),
      exact,
      prepared: queriesByRows(this.#options, task),
      score: this.#gpu.scanning.byRows(this.#options),
      step,
      usual: usualCandidates(task.k, exact),
    };
  }

  async #scanOfCodes(task: SearchTask, step: number): Promise<Scan> {
    return {
      shards: this.#shards.map(({ first, capacity, codes }) => {
        return { first, capacity, rows: codes!.rows, facts: codes!.facts };
      }),
      chunks: codeChunks(this.#options),
      exact: false,
      prepared: await queriesByCodes(this.#gpu, this.#options, task),
      score: this.#gpu.scanning.byCodes(this.#options),
      step,
      usual: usualByCodes(task.k),
    };
  }

  /** Puts the k best of a query's candidates, by canonical score, into their slots. */
  async #settle(
    task: SearchTask,
    query: number,
    found: Candidates,
    way: Way,
    into: Found,
    slot: number,
  ): Promise<void> {
    const { dim, metric } = this.#options;
    const { k } = task;
    const total = found.counts[query]!;
    if (total > way.capacity) {
      const widened = await this.#widen(partOf(task, query, query + 1, dim), way, total);
      into.ids.set(widened.ids, slot * k);
      into.scores.set(widened.scores, slot * k);
      return;
    }
    if (total < k) {
      throw new SeineError('ERR_DEVICE', `The webgpu device returned ${total} candidates for k = ${k}.`);
    }
    const score = rowScorer(metric, dim, task);
    const best = new BestRows(k, isDistance(metric));
    const pause = pacer(task.signal);
    for (let i = 0; i < total; i++) {
      if (i % 64 === 0) await pause();
      const id = found.ids[i * task.q + query]!;
      const shard = chunkOf(this.#shards, id);
      best.offer(id, score(query, shard.stored, id - shard.first));
    }
    await drain(best, into, slot * k, pause);
  }

  /** Searches one query again: by rows if it was by codes, by all keys, and then with room for all candidates. */
  async #widen(task: SearchTask, way: Way, total: number): Promise<Found> {
    const { dim, metric } = this.#options;
    const next = { ...way, codes: false };
    if (!way.codes && total === OPEN) next.step = 0;
    else if (!way.codes) next.capacity = total;
    const { capacity } = next;
    if (capacity > task.passing / 2 || candidateBytes(1, capacity) > this.#gpu.maxBinding) {
      return scan(this.#chunks(), dim, metric, task);
    }
    const found: Found = { ids: new Uint32Array(task.k), scores: new Float32Array(task.k) };
    await this.#settle(task, 0, await this.#find(task, next), next, found, 0);
    return found;
  }
}

function partOf(task: SearchTask, from: number, to: number, dim: number): SearchTask {
  const width = (task.weights?.length ?? 0) / task.q;
  const weights = task.weights?.subarray(from * width, to * width);
  return { ...task, q: to - from, queries: sliceRows(task.queries, dim, from, to), weights };
}
