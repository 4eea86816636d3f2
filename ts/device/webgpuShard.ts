import { wordsFor } from '../core/bitset.ts';
import { SeineError } from '../core/errors.ts';
import type { UploadOptions } from './device.ts';
import { pacer } from './pacer.ts';
import { decodeRow, type FloatRows } from './reference/decodeRow.ts';
import { norm } from './reference/score.ts';
import { countRows, makeRows, type StoredBatch, storedBytes, writeRows } from './storedRows.ts';
import { featuredFacts } from './webgpuBounds.ts';
import { createBuffer, USAGE } from './webgpuBuffers.ts';

/** Rows that lie interleaved: kernels/scan.wgsl gives the layout. */
export const BLOCK = 64;
const CHUNK_BYTES = 16;
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
  readonly #device: GPUDevice;
  readonly #options: UploadOptions;
  readonly #decoded: Float32Array;

  private constructor(
    device: GPUDevice,
    options: UploadOptions,
    first: number,
    stored: StoredBatch,
    rows: GPUBuffer,
    facts: GPUBuffer,
  ) {
    this.first = first;
    this.capacity = countRows(stored.rows, options.dim);
    this.stored = stored;
    this.rows = rows;
    this.facts = facts;
    this.#device = device;
    this.#options = options;
    this.#decoded = new Float32Array(options.dim);
  }

  static async create(
    device: GPUDevice,
    options: UploadOptions,
    first: number,
    capacity: number,
  ): Promise<WebgpuShard> {
    const stored = allocate(options, capacity);
    const usage = USAGE.storage | USAGE.copyTarget;
    const rows = await createBuffer(device, capacity * chunksOf(options) * CHUNK_BYTES, usage);
    try {
      const facts = await createBuffer(
        device,
        rowsWithFacts(options, capacity) * factsOf(options) * 4,
        usage,
      );
      return new WebgpuShard(device, options, first, stored, rows, facts);
    } catch (error) {
      rows.destroy();
      throw error;
    }
  }

  /** On the host and on the device. */
  get bytes(): number {
    const { dim, dtype } = this.#options;
    const features = this.stored.features.byteLength;
    return this.capacity * storedBytes(dtype, dim) + features + this.rows.size + this.facts.size;
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
      const packed = this.#pack(from, to);
      this.#device.queue.writeBuffer(this.rows, from * rowBytes, packed);
      if (this.stored.rows.dtype !== 'binary') {
        const facts = this.#factsOf(this.stored.rows, from, to);
        this.#device.queue.writeBuffer(this.facts, from * factsOf(this.#options) * 4, facts);
      }
      pending += packed.byteLength;
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
  }

  /** Rows `from` (a block's first) to `end` as whole blocks, the lanes past `end` zero. */
  #pack(from: number, end: number): ArrayBuffer {
    const { dim } = this.#options;
    const { numbers, width } = numbersOf(this.stored.rows, dim);
    const chunks = chunksOf(this.#options);
    const packed = new ArrayBuffer(Math.ceil((end - from) / BLOCK) * BLOCK * chunks * CHUNK_BYTES);
    const target = viewLike(numbers, packed);
    const perChunk = CHUNK_BYTES / numbers.BYTES_PER_ELEMENT;
    const shift = Math.log2(perChunk);
    for (let row = from; row < end; row++) {
      const lane = (row - from) % BLOCK;
      const base = ((row - from - lane) * chunks + lane) * perChunk;
      for (let i = 0; i < width; i++) {
        target[base + (i >>> shift) * (BLOCK * perChunk) + (i & (perChunk - 1))] = numbers[row * width + i]!;
      }
    }
    return packed;
  }

  /** Of the same blocks as `#pack`: length, factor and features of each row. */
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

type Numbers = Uint32Array | Uint16Array | Int8Array;

/** What is copied to the device, and its elements a row. Floats go as words, which keeps every bit. */
function numbersOf(stored: StoredBatch['rows'], dim: number): { numbers: Numbers; width: number } {
  switch (stored.dtype) {
    case 'f32': {
      const { buffer, byteOffset, length } = stored.values;
      return { numbers: new Uint32Array(buffer, byteOffset, length), width: dim };
    }
    case 'int8':
      return { numbers: stored.codes, width: dim };
    case 'binary':
      return { numbers: stored.words, width: wordsFor(dim) };
    default:
      return { numbers: stored.values, width: dim };
  }
}

function viewLike(numbers: Numbers, buffer: ArrayBuffer): Numbers {
  if (numbers.BYTES_PER_ELEMENT === 1) return new Int8Array(buffer);
  return numbers.BYTES_PER_ELEMENT === 2 ? new Uint16Array(buffer) : new Uint32Array(buffer);
}

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
