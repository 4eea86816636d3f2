import { SeineError } from '../core/errors.ts';
import { createBuffer, USAGE } from './webgpuBuffers.ts';
import type { GpuContext } from './webgpuContext.ts';

const WORD = 4;
const LEAST_BYTES = 1024;

/** The arrays of words of a resident's columns, a buffer each. */
export class WebgpuColumns {
  readonly #gpu: GpuContext;
  readonly #arrays: (GPUBuffer | undefined)[] = [];

  constructor(gpu: GpuContext) {
    this.#gpu = gpu;
  }

  get bytes(): number {
    return this.#arrays.reduce((sum, buffer) => sum + (buffer?.size ?? 0), 0);
  }

  /** As it is now: the next write may replace it, so it is to be used before the next `await`. */
  bufferOf(array: number): GPUBuffer | undefined {
    return this.#arrays[array];
  }

  /** Writes words from place `at` on; what lies after them is of no use any more. */
  async write(array: number, at: number, words: Uint32Array): Promise<void> {
    const { device } = this.#gpu;
    this.#gpu.checkAlive();
    const wanted = (at + words.length) * WORD;
    const before = this.#arrays[array];
    if (before === undefined || wanted > before.size) {
      const bigger = await this.#makeRoom(wanted, before?.size ?? 0);
      if (before !== undefined) {
        const encoder = device.createCommandEncoder();
        encoder.copyBufferToBuffer(before, 0, bigger, 0, before.size);
        device.queue.submit([encoder.finish()]);
        before.destroy(); // once what was submitted is done
      }
      this.#arrays[array] = bigger;
    }
    device.queue.writeBuffer(this.#arrays[array]!, at * WORD, words as Uint32Array<ArrayBuffer>);
    await device.queue.onSubmittedWorkDone();
    this.#gpu.checkAlive();
  }

  destroy(): void {
    for (const buffer of this.#arrays) buffer?.destroy();
    this.#arrays.length = 0;
  }

  /** A buffer of at least twice the bytes that there were, as far as one binding spans them. */
  #makeRoom(wanted: number, before: number): Promise<GPUBuffer> {
    const { device, maxBinding } = this.#gpu;
    if (wanted > maxBinding) {
      throw new SeineError(
        'ERR_OUT_OF_MEMORY',
        `A column of ${wanted} bytes is more than the ${maxBinding} that the webgpu device binds at once: ` +
          'spread the rows over several residents, or use the cpu device.',
      );
    }
    const size = Math.min(maxBinding, Math.max(LEAST_BYTES, 2 * before, wanted));
    return createBuffer(device, size, USAGE.storage | USAGE.copyTarget | USAGE.copySource);
  }
}
