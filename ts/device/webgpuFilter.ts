import { wordsFor } from '../core/bitset.ts';
import { SeineError } from '../core/errors.ts';
import type { Filtered, FilterTask } from './device.ts';
import { OPERATION } from './filterProgram.ts';
import { type BufferPool, USAGE } from './webgpuBuffers.ts';
import type { WebgpuColumns } from './webgpuColumns.ts';
import { type GpuContext, submit } from './webgpuContext.ts';
import type { FilterPipelines } from './webgpuPipelines.ts';

const WORD = 4;
const THREADS = 256;
/** Enough to fill any GPU: each takes as many rows as there are threads, then the next. */
const MAX_GROUPS = 1024;
/** What WebGPU asks of offsets of uniform bindings. */
const ALIGNMENT = 256;
/** Rows of all steps of a submit: between submits it is seen whether the filter is cancelled. */
const MOST_ROWS = 2 ** 22;

interface Buffers {
  params: GPUBuffer;
  intervals: GPUBuffer;
  stack: GPUBuffer;
  total: GPUBuffer;
}

/** kernels/filter.wgsl, a dispatch a step of the program. Throws `ERR_DEVICE`, `ERR_OUT_OF_MEMORY`. */
export async function filterOnGpu(
  gpu: GpuContext,
  pool: BufferPool,
  columns: WebgpuColumns,
  { program, count, signal }: FilterTask,
): Promise<Filtered> {
  const { device } = gpu;
  const { steps, intervals, depth } = program;
  const bytes = wordsFor(count) * WORD;
  const stackBytes = depth * bytes;
  if (Math.max(stackBytes, intervals.byteLength) > gpu.maxBinding) {
    throw new SeineError(
      'ERR_OUT_OF_MEMORY',
      `The filter takes ${stackBytes} bytes for bits of rows and ${intervals.byteLength} for its values, but the webgpu ` +
        `device binds ${gpu.maxBinding} at once: nest it less deeply, name fewer values, or use the cpu device.`,
    );
  }
  const pipelines = await gpu.filtering();
  return pool.lend(async (take) => {
    const operations = steps.length / 4;
    const storage = USAGE.storage | USAGE.copyTarget;
    const buffers: Buffers = {
      params: await take((operations + 1) * ALIGNMENT, USAGE.uniform | USAGE.copyTarget),
      intervals: await take(intervals.byteLength, storage),
      stack: await take(stackBytes, storage | USAGE.copySource),
      total: await take(WORD, storage | USAGE.copySource),
    };
    const readback = await take(WORD + bytes, USAGE.mapRead | USAGE.copyTarget);
    const runner = new ProgramRunner(gpu, pipelines, buffers, columns, { program, count, signal });
    const most = Math.max(1, Math.floor(MOST_ROWS / count));
    for (let from = 0; ; from += most) {
      signal?.throwIfAborted();
      gpu.checkAlive();
      device.pushErrorScope('validation');
      if (from === 0) {
        device.queue.writeBuffer(buffers.intervals, 0, intervals as Uint32Array<ArrayBuffer>);
        device.queue.writeBuffer(buffers.total, 0, new Uint32Array(1));
      }
      const last = from + most >= operations;
      const encoder = runner.encode(from, Math.min(from + most, operations), last);
      encoder.copyBufferToBuffer(buffers.total, 0, readback, 0, WORD);
      // The bits come with the count: to wait for it first would take longer than to copy them.
      if (last) encoder.copyBufferToBuffer(buffers.stack, 0, readback, WORD, bytes);
      const read = await submit(gpu, encoder, readback, last ? WORD + bytes : WORD);
      if (last) return { mask: read.subarray(1), passing: read[0]! };
    }
  });
}

/** Encodes the steps of a program, one after the other. */
class ProgramRunner {
  readonly #gpu: GpuContext;
  readonly #pipelines: FilterPipelines;
  readonly #buffers: Buffers;
  readonly #columns: WebgpuColumns;
  readonly #task: FilterTask;
  readonly #words: number;
  #held = 0;
  #encoder: GPUCommandEncoder;

  constructor(
    gpu: GpuContext,
    pipelines: FilterPipelines,
    buffers: Buffers,
    columns: WebgpuColumns,
    task: FilterTask,
  ) {
    this.#gpu = gpu;
    this.#pipelines = pipelines;
    this.#buffers = buffers;
    this.#columns = columns;
    this.#task = task;
    this.#words = wordsFor(task.count);
    this.#encoder = gpu.device.createCommandEncoder();
  }

  /** Steps `from` to `to`, after the last one the count; what the returned encoder holds is yet to be submitted. */
  encode(from: number, to: number, last: boolean): GPUCommandEncoder {
    this.#encoder = this.#gpu.device.createCommandEncoder();
    for (let step = from; step < to; step++) this.#encodeStep(step);
    if (last) this.#dispatch(to, this.#pipelines.count, this.#words, [this.#task.count, this.#words]);
    return this.#encoder;
  }

  #encodeStep(step: number): void {
    const { program, count } = this.#task;
    const [operation, operand, first, intervals] = program.steps.subarray(4 * step) as unknown as number[];
    const bytes = this.#words * WORD;
    if (operation === OPERATION.and || operation === OPERATION.or) this.#held--;
    const pushes = operation! < OPERATION.not;
    const slot = pushes ? this.#held++ : this.#held - 1;
    const to = slot * this.#words;
    switch (operation) {
      case OPERATION.none:
        this.#encoder.clearBuffer(this.#buffers.stack, slot * bytes, bytes);
        break;
      case OPERATION.bits:
        this.#upload(
          program.bits.subarray(operand! * this.#words, (operand! + 1) * this.#words),
          slot * bytes,
        );
        break;
      default: {
        const params = [count, this.#words, to, first!, intervals!];
        const pipeline = this.#pipelines.steps.get(operation!)!;
        this.#dispatch(step, pipeline, pushes ? count : this.#words, params, pushes ? operand : undefined);
      }
    }
  }

  /** In its turn: after what has been encoded so far. */
  #upload(bits: Uint32Array, at: number): void {
    const { queue } = this.#gpu.device;
    queue.submit([this.#encoder.finish()]);
    queue.writeBuffer(this.#buffers.stack, at, bits as Uint32Array<ArrayBuffer>);
    this.#encoder = this.#gpu.device.createCommandEncoder();
  }

  /** `place` is where the parameters lie; without a `column` the kernel reads none. */
  #dispatch(
    place: number,
    pipeline: GPUComputePipeline,
    threads: number,
    params: readonly number[],
    column?: number,
  ): void {
    const { device, maxBinding } = this.#gpu;
    const { intervals, stack, total } = this.#buffers;
    device.queue.writeBuffer(this.#buffers.params, place * ALIGNMENT, Uint32Array.from(params));
    const bufferOf = (array: number) =>
      (column === undefined ? undefined : this.#columns.bufferOf(2 * column + array)) ?? intervals;
    const entries = [bufferOf(0), bufferOf(1), intervals, stack, total].map((buffer, i) => ({
      binding: i + 1,
      resource: { buffer, size: Math.min(buffer.size, maxBinding) },
    }));
    const uniform = {
      binding: 0,
      resource: { buffer: this.#buffers.params, offset: place * ALIGNMENT, size: ALIGNMENT },
    };
    const pass = this.#encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(
      0,
      device.createBindGroup({ layout: this.#pipelines.layout, entries: [uniform, ...entries] }),
    );
    pass.dispatchWorkgroups(Math.min(Math.ceil(threads / THREADS), MAX_GROUPS));
    pass.end();
  }
}
