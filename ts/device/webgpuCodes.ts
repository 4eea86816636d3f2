import type { Metric } from '../core/types.ts';
import type { UploadOptions } from './device.ts';
import { quantizeRows } from './reference/quantizeRows.ts';
import { norm } from './reference/score.ts';
import { arraysOf, type Quantized } from './storedRows.ts';
import { LONGEST, MAX, queryBounds, U, UP } from './webgpuBounds.ts';
import { createBuffer, USAGE } from './webgpuBuffers.ts';
import type { GpuContext } from './webgpuContext.ts';
import { BLOCK, CHUNK_BYTES, interleave } from './webgpuInterleave.ts';

/*
 * How far a cost by codes (kernels/certify.wgsl) can be from the canonical one. A row is x = s * c + e and a query
 * q = t * a + f with int8 codes c and a, so <q, x> = t * s * <a, c> + <f, s * c> + <q, e>, and with Q = |q|, F = |f|,
 * E = |e|, w = |x|
 *
 *   |<q, x> - t * s * <a, c>| <= F * (w + E) + Q * E = F * w + (Q + F) * E.
 *
 * <a, c> is exact. What rounds, each by U = 2^-23 of (Q + F) * (w + E) at most: the integer as float32, its products
 * with s and t (2, in any order), t and s themselves (2), codes * s in the error that `quantize` gives (1), the cost's
 * sum with the error (1), the canonical score (1) and its float64 sums (< 1): nine, of which 16 are granted. Bounds are
 * made larger by UP, a thousandth, which covers their own rounding and that of lengths. Scales below 2^-60 count as 0, so
 * that no product of two scales is flushed: the row, or the query, is all rest. Sums that are flushed lose what
 * `queryBounds` grants.
 *
 * For l2, |q - x|^2 = Q^2 + w^2 - 2 <q, x>: twice the above, and for the squares, their sum (5) and the canonical score
 * (2) 16 U of Q^2 + w^2. The scale and the limits are those of `queryBounds`.
 */

const ROUNDINGS = 16 * U;
const LEAST_SCALE = 2 ** -60;
/** Float32 of a row beside its codes: scale, length, rest. */
const FACTS = 3;
/** Float32 of a query in the kernel's `bounds`. */
export const CODE_BOUNDS = 8;

export const codeChunks = ({ dim }: UploadOptions): number => Math.ceil(dim / CHUNK_BYTES);

/** Whether rows get codes: where these take at most half of what is read of a row. */
export function hasCodes({ dim, dtype, features = 0, maxsim = false }: UploadOptions): boolean {
  if (dtype !== 'f32' || features > 0 || maxsim) return false;
  const bytes = Math.ceil(dim / CHUNK_BYTES) * CHUNK_BYTES + FACTS * 4;
  return 2 * bytes <= dim * 4;
}

/** Codes of rows or queries `[count, dim]`: their dtype is 'int8'. */
export const encode = (gpu: GpuContext, values: Float32Array, dim: number): Promise<Quantized> =>
  (gpu.quantize ?? quantizeRows)(values, { dim, dtype: 'int8' });

/** What the kernel knows of a row of this length beside its codes: scale, length, rest. */
export function codeFacts(
  metric: Metric,
  length: number,
  scale: number,
  rest: number,
): [number, number, number] {
  if (!(length < LONGEST[metric as keyof typeof LONGEST])) return [0, MAX, 0];
  const divisor = metric === 'cosine' && length > 0 ? length : 1;
  const own = length / divisor;
  if (scale / divisor < LEAST_SCALE) return [0, own, own * UP];
  return [scale / divisor, own, (rest / divisor) * UP];
}

/** The two lines of the kernel's `bounds` for the query at `start` with these codes. */
export function codeBounds(
  options: UploadOptions,
  queries: Float32Array,
  start: number,
  scale: number,
  rest: number,
): number[] {
  const l2 = options.metric === 'l2';
  const { scale: unit, bounds } = queryBounds(options, queries, start);
  const length = norm(queries, start, options.dim) * unit;
  const own = scale * unit;
  const [codes, left] = own < LEAST_SCALE ? [0, length] : [own, rest * unit];
  const twice = l2 ? 2 : 1;
  const sum = length + left;
  return [
    twice * (left + ROUNDINGS * sum) * UP,
    twice * (1 + ROUNDINGS) * sum * UP,
    bounds[2],
    bounds[3],
    twice * codes,
    l2 ? length * length : 0,
    l2 ? ROUNDINGS * UP : 0,
    0,
  ];
}

/** Codes of a shard's rows on the device, and what belongs to them. */
export class WebgpuCodes {
  readonly rows: GPUBuffer;
  readonly facts: GPUBuffer;
  readonly #gpu: GpuContext;
  readonly #options: UploadOptions;

  private constructor(gpu: GpuContext, options: UploadOptions, rows: GPUBuffer, facts: GPUBuffer) {
    this.#gpu = gpu;
    this.#options = options;
    this.rows = rows;
    this.facts = facts;
  }

  static async create(gpu: GpuContext, options: UploadOptions, capacity: number): Promise<WebgpuCodes> {
    const usage = USAGE.storage | USAGE.copyTarget;
    const rows = await createBuffer(gpu.device, capacity * codeChunks(options) * CHUNK_BYTES, usage);
    try {
      const facts = await createBuffer(gpu.device, capacity * FACTS * 4, usage);
      return new WebgpuCodes(gpu, options, rows, facts);
    } catch (error) {
      rows.destroy();
      throw error;
    }
  }

  /** Writes those of rows `from` (a block's first) to `end` of `values`; returns the bytes handed to the queue. */
  async write(values: Float32Array, from: number, end: number): Promise<number> {
    const { dim, metric } = this.#options;
    const { queue } = this.#gpu.device;
    const part = values.slice(from * dim, end * dim);
    const { rows, errors } = await encode(this.#gpu, part, dim);
    const { scales } = arraysOf(rows);
    const count = end - from;
    const packed = interleave(rows, dim, codeChunks(this.#options), 0, count);
    const facts = new Float32Array(Math.ceil(count / BLOCK) * BLOCK * FACTS);
    for (let row = 0; row < count; row++) {
      const length = norm(part, row * dim, dim);
      facts.set(codeFacts(metric, length, scales[row]!, errors[row]!), row * FACTS);
    }
    queue.writeBuffer(this.rows, from * codeChunks(this.#options) * CHUNK_BYTES, packed);
    queue.writeBuffer(this.facts, from * FACTS * 4, facts);
    return packed.byteLength + facts.byteLength;
  }

  get bytes(): number {
    return this.rows.size + this.facts.size;
  }

  destroy(): void {
    this.rows.destroy();
    this.facts.destroy();
  }
}
