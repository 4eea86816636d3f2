import { SeineError } from '../core/errors.ts';
import { nextTurn } from '../core/nextTurn.ts';
import type { UploadOptions } from './device.ts';
import type { Quantized, QuantizeOptions } from './storedRows.ts';
import { MAP_READ } from './webgpuBuffers.ts';
import type { FilterPipelines, ScanPipelines } from './webgpuPipelines.ts';

/** What all work on an open device shares. */
export interface GpuContext {
  device: GPUDevice;
  scanning: ScanPipelines;
  /** Bytes that one binding may span. */
  maxBinding: number;
  maxShardBytes: number;
  /** Like `quantizeRows`, off the event loop, where there is something that does it. */
  quantize?: ((values: Float32Array, options: QuantizeOptions) => Promise<Quantized>) | undefined;
  /** kernels/rescore.wgsl for rows of this form, compiled when first needed. */
  rescoring: (options: UploadOptions) => Promise<GPUComputePipeline>;
  /** kernels/filter.wgsl, compiled when first needed. */
  filtering: () => Promise<FilterPipelines>;
  /** Throws `ERR_DEVICE_LOST` if the device was lost, `ERR_DEVICE` if it has failed. */
  checkAlive(): void;
}

/** Submits what has been encoded since an error scope was pushed, and reads `buffer`, which it fills. */
export async function submit(
  gpu: GpuContext,
  encoder: GPUCommandEncoder,
  buffer: GPUBuffer,
  bytes: number,
): Promise<Uint32Array<ArrayBuffer>> {
  const { device } = gpu;
  device.queue.submit([encoder.finish()]);
  const [error, words] = await Promise.all([device.popErrorScope(), readWords(gpu, buffer, bytes)]);
  if (error === null) return words;
  throw new SeineError('ERR_DEVICE', `The webgpu device refused its work: ${error.message}`);
}

/** Reads `buffer` as words. Throws `ERR_DEVICE_LOST` if the device was lost meanwhile. */
export async function readWords(
  gpu: GpuContext,
  buffer: GPUBuffer,
  bytes: number,
): Promise<Uint32Array<ArrayBuffer>> {
  try {
    await buffer.mapAsync(MAP_READ, 0, bytes);
  } catch (error) {
    await nextTurn(); // a loss is told after the call that it ends
    gpu.checkAlive();
    throw error;
  }
  try {
    return new Uint32Array(buffer.getMappedRange(0, bytes)).slice();
  } finally {
    buffer.unmap();
  }
}
