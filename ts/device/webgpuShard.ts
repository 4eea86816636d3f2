import { SeineError } from '../core/errors.ts';
import type { UploadOptions } from './device.ts';
import { pacer } from './pacer.ts';
import { decodeRow, type FloatRows } from './reference/decodeRow.ts';
import { norm } from './reference/score.ts';
import { countRows, makeRows, type StoredBatch, storedBytes, writeRows } from './storedRows.ts';
import { featuredFacts } from './webgpuBounds.ts';
import { createBuffer, USAGE } from './webgpuBuffers.ts';
import { hasCodes, WebgpuCodes } from './webgpuCodes.ts';
import type { GpuContext } from './webgpuContext.ts';
import { BLOCK, CHUNK_BYTES, interleave } from './webgpuInterleave.ts';

const SLICE_BYTES = 2 ** 22;
/** Bytes handed to the queue before its copies are waited for: they are held twice until then. */
const PENDING_BYTES = 2 ** 26;

/** Chunks of a row on the device. */
export function chunksOf({ dim, dtype }: UploadOptions): number {
  const bits = { f32: 32, f16: 16, bf16: 16, int8: 8, binary: 1 }[dtype];
  return Math.ceil((dim * bits) / 8 / CHUNK_BYTES);
}

/** Float32 of a row beside its chunks: length, factor and features, padded to pairs. */
const factsOf = ({ features = 0 }: UploadOptions): number => 2 + 2 * Math.ceil(features / 2);

/** Bytes of a row in the larger one of its shard's two buffers. */
export const widthOf = (options: UploadOptions): number =>
  Math.max(chunksOf(options) * CHUNK_BYTES, factsOf(options) * 4);

/** A run of rows in one device buffer, with the same rows in host memory for the canonical scores. */
export class WebgpuShard {
  /** Id of the first row: a multiple of 64. */
  readonly first: number;
  /** Rows that there is room for: a multiple of 64. */
  readonly capacity: number;
  /** `capacity` rows. */
  readonly stored: StoredBatch;
  readonly rows: GPUBuffer;
  readonly facts: GPUBuffer;
  /** Of rows that have them. */
  readonly codes: WebgpuCodes | undefined;
  readonly #device: GPUDevice;
  readonly #options: UploadOptions;
  readonly #decoded: Float32Array;

  private constructor(
    device: GPUDevice,
    options: UploadOptions,
    first: number,
    stored: StoredBatch,
    buffers: Pick<WebgpuShard, 'rows' | 'facts' | 'codes'>,
  ) {
    this.first = first;
    this.capacity = countRows(stored.rows, options.dim);
    this.stored = stored;
    this.rows = buffers.rows;
    this.facts = buffers.facts;
    this.codes = buffers.codes;
    this.#device = device;
    this.#options = options;
    this.#decoded = new Float32Array(options.dim);
  }

  static async create(
    gpu: GpuContext,
    options: UploadOptions,
    first: number,
    capacity: number,
  ): Promise<WebgpuShard> {
    const { device } = gpu;
    const stored = allocate(options, capacity);
    const usage = USAGE.storage | USAGE.copyTarget;
    const made: { destroy(): void }[] = [];
    const keep = <T extends { destroy(): void }>(one: T): T => {
      made.push(one);
      return one;
    };
    try {
      const rows = keep(await createBuffer(device, capacity * chunksOf(options) * CHUNK_BYTES, usage));
      const factBytes = rowsWithFacts(options, capacity) * factsOf(options) * 4;
      const facts = keep(await createBuffer(device, factBytes, usage));
      const codes = hasCodes(options) ? keep(await WebgpuCodes.create(gpu, options, capacity)) : undefined;
      return new WebgpuShard(device, options, first, stored, { rows, facts, codes });
    } catch (error) {
      for (const one of made) one.destroy();
      throw error;
    }
  }

  /** On the host and on the device. */
  get bytes(): number {
    const { dim, dtype } = this.#options;
    const features = this.stored.features.byteLength;
    return (
      this.capacity * storedBytes(dtype, dim) +
      features +
      this.rows.size +
      this.facts.size +
      (this.codes?.bytes ?? 0)
    );
  }

  /** Writes rows at row `start` of this shard; rows before it stay as they are. */
  async write(data: StoredBatch, start: number): Promise<void> {
    const { dim, features = 0 } = this.#options;
    writeRows(this.stored.rows, start, data.rows, dim);
    this.stored.features.set(data.features, start * features);
    const end = start + countRows(data.rows, dim);
    const rowBytes = chunksOf(this.#options) * CHUNK_BYTES;
    const step = Math.max(1, Math.floor(SLICE_BYTES / (BLOCK * rowBytes))) * BLOCK;
    const pause = pacer();
    let pending = 0;
    for (let from = start - (start % BLOCK); from < end; from += step) {
      const to = Math.min(from + step, end);
      const packed = interleave(this.stored.rows, dim, chunksOf(this.#options), from, to);
      this.#device.queue.writeBuffer(this.rows, from * rowBytes, packed);
      if (this.stored.rows.dtype !== 'binary') {
        const facts = this.#factsOf(this.stored.rows, from, to);
        this.#device.queue.writeBuffer(this.facts, from * factsOf(this.#options) * 4, facts);
      }
      pending += packed.byteLength;
      if (this.codes !== undefined && this.stored.rows.dtype === 'f32') {
        pending += await this.codes.write(this.stored.rows.values, from, to);
      }
      if (pending >= PENDING_BYTES) {
        await this.#device.queue.onSubmittedWorkDone();
        pending = 0;
      }
      await pause();
    }
  }

  destroy(): void {
    this.rows.destroy();
    this.facts.destroy();
    this.codes?.destroy();
  }

  /** Of whole blocks as `interleave` makes them: length, factor and features of each row. */
  #factsOf(rows: FloatRows, from: number, end: number): Float32Array<ArrayBuffer> {
    const { dim, metric, features: count = 0 } = this.#options;
    const width = factsOf(this.#options);
    const facts = new Float32Array(Math.ceil((end - from) / BLOCK) * BLOCK * width);
    for (let row = from; row < end; row++) {
      decodeRow(rows, row, dim, this.#decoded);
      const scale = rows.dtype === 'int8' ? rows.scales[row]! : 1;
      const features = this.stored.features.subarray(row * count, (row + 1) * count);
      const own = featuredFacts(metric, norm(this.#decoded, 0, dim), scale, features);
      facts.set([own.norm, own.factor], (row - from) * width);
      facts.set(features, (row - from) * width + 2);
    }
    return facts;
  }
}

/** Bits need no facts, but a binding must not be empty. */
const rowsWithFacts = ({ dtype }: UploadOptions, capacity: number): number =>
  dtype === 'binary' ? 1 : capacity;

function allocate({ dim, dtype, features = 0 }: UploadOptions, capacity: number): StoredBatch {
  try {
    return { rows: makeRows(dtype, dim, capacity), features: new Float32Array(capacity * features) };
  } catch (cause) {
    throw new SeineError(
      'ERR_OUT_OF_MEMORY',
      `No ${capacity * (storedBytes(dtype, dim) + 4 * features)} bytes of host memory for the rows' copy: keep fewer rows resident.`,
      { cause },
    );
  }
}
