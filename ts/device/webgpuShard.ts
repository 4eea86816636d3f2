import { SeineError } from '../core/errors.ts';
import type { Metric } from '../core/types.ts';
import { pacer } from './pacer.ts';
import { norm } from './reference/score.ts';
import { rowScale } from './webgpuBounds.ts';
import { createBuffer, USAGE } from './webgpuBuffers.ts';

/** Rows that lie interleaved: kernels/scan.wgsl gives the layout. */
export const BLOCK = 64;
const SLICE_BYTES = 2 ** 22;
/** Bytes handed to the queue before its copies are waited for: they are held twice until then. */
const PENDING_BYTES = 2 ** 26;

/** A row's numbers on the device, in chunks of 16 bytes. */
export const rowBytes = (dim: number): number => Math.ceil(dim / 4) * 16;

/** A run of rows in one device buffer, with the rows as given in host memory for the canonical scores. */
export class WebgpuShard {
  /** Id of the first row: a multiple of 64. */
  readonly first: number;
  /** Rows that there is room for: a multiple of 64. */
  readonly capacity: number;
  /** `[capacity, dim]` */
  readonly values: Float32Array;
  readonly rows: GPUBuffer;
  readonly norms: GPUBuffer;
  readonly #device: GPUDevice;
  readonly #dim: number;
  readonly #metric: Metric;

  private constructor(
    shape: ShardShape,
    device: GPUDevice,
    values: Float32Array,
    rows: GPUBuffer,
    norms: GPUBuffer,
  ) {
    this.first = shape.first;
    this.capacity = shape.capacity;
    this.#dim = shape.dim;
    this.#metric = shape.metric;
    this.values = values;
    this.rows = rows;
    this.norms = norms;
    this.#device = device;
  }

  static async create(device: GPUDevice, shape: ShardShape): Promise<WebgpuShard> {
    const { capacity, dim } = shape;
    const values = allocate(capacity * dim);
    const usage = USAGE.storage | USAGE.copyTarget;
    const rows = await createBuffer(device, capacity * rowBytes(dim), usage);
    try {
      return new WebgpuShard(shape, device, values, rows, await createBuffer(device, capacity * 4, usage));
    } catch (error) {
      rows.destroy();
      throw error;
    }
  }

  get bytes(): number {
    return this.capacity * (this.#dim * 4 + rowBytes(this.#dim) + 4);
  }

  /** Writes `data` `[rows, dim]` at row `start` of this shard; rows before it stay as they are. */
  async write(data: Float32Array, start: number): Promise<void> {
    this.values.set(data, start * this.#dim);
    const end = start + data.length / this.#dim;
    const step = Math.max(1, Math.floor(SLICE_BYTES / (BLOCK * rowBytes(this.#dim)))) * BLOCK;
    const pause = pacer();
    let pending = 0;
    for (let from = start - (start % BLOCK); from < end; from += step) {
      const { packed, norms } = this.#pack(from, Math.min(from + step, end));
      this.#device.queue.writeBuffer(this.rows, from * rowBytes(this.#dim), packed);
      this.#device.queue.writeBuffer(this.norms, from * 4, norms);
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
    this.norms.destroy();
  }

  /** Rows `from` (a block's first) to `end` as whole blocks, the lanes past `end` zero. */
  #pack(from: number, end: number): { packed: Float32Array<ArrayBuffer>; norms: Float32Array<ArrayBuffer> } {
    const dim = this.#dim;
    const values = this.values;
    const padded = rowBytes(dim) / 4;
    const lanes = Math.ceil((end - from) / BLOCK) * BLOCK;
    const packed = new Float32Array(lanes * padded);
    const norms = new Float32Array(lanes);
    for (let row = from; row < end; row++) {
      const { scale, norm: bound } = rowScale(this.#metric, norm(values, row * dim, dim));
      const lane = (row - from) % BLOCK;
      norms[row - from] = bound;
      if (scale === 0) continue;
      const target = (row - from - lane) * padded + lane * 4;
      for (let i = 0; i < dim; i++) {
        packed[target + (i >>> 2) * (BLOCK * 4) + (i & 3)] = values[row * dim + i]! * scale;
      }
    }
    return { packed, norms };
  }
}

interface ShardShape {
  first: number;
  capacity: number;
  dim: number;
  metric: Metric;
}

function allocate(length: number): Float32Array {
  try {
    return new Float32Array(length);
  } catch (cause) {
    throw new SeineError(
      'ERR_OUT_OF_MEMORY',
      `No ${length * 4} bytes of host memory for the rows' copy: keep fewer rows resident.`,
      { cause },
    );
  }
}
