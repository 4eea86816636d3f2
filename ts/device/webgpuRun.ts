import { isTypedArray } from '../core/isTypedArray.ts';
import { type BufferPool, USAGE } from './webgpuBuffers.ts';
import { type GpuContext, submit } from './webgpuContext.ts';

const MAX_GROUPS = 65535;
const WORD = 4;

/** One dispatch of a kernel that takes words and gives words. */
export interface Run {
  pipeline: GPUComputePipeline;
  /** Binding 0: the fields of the kernel's `Params`. */
  params: readonly number[];
  /** The bindings that follow: what is uploaded, or lies on the device. */
  inputs: readonly (Uint32Array | GPUBuffer)[];
  /** Words of the last binding, the result. */
  words: number;
  /** Threads that have work, and threads of a workgroup. */
  threads: number;
  groupSize: number;
}

/** Runs it in one submit and reads the result. Throws `ERR_DEVICE`, `ERR_OUT_OF_MEMORY`. */
export function runKernel(gpu: GpuContext, pool: BufferPool, run: Run): Promise<Uint32Array<ArrayBuffer>> {
  const { device } = gpu;
  const bytes = run.words * WORD;
  return pool.lend(async (take) => {
    const params = await take(run.params.length * WORD, USAGE.uniform | USAGE.copyTarget);
    const uploads: [GPUBuffer, Uint32Array][] = [[params, Uint32Array.from(run.params)]];
    const inputs: GPUBuffer[] = [];
    for (const input of run.inputs) {
      if (isTypedArray(input, 'Uint32Array')) {
        const buffer = await take(input.byteLength, USAGE.storage | USAGE.copyTarget);
        uploads.push([buffer, input]);
        inputs.push(buffer);
      } else inputs.push(input);
    }
    const result = await take(bytes, USAGE.storage | USAGE.copySource);
    const readback = await take(bytes, USAGE.mapRead | USAGE.copyTarget);
    gpu.checkAlive();
    device.pushErrorScope('validation');
    for (const [buffer, values] of uploads) {
      device.queue.writeBuffer(buffer, 0, values as Uint32Array<ArrayBuffer>);
    }
    const entries = [params, ...inputs, result].map((buffer, binding) => ({
      binding,
      resource: { buffer, size: Math.min(buffer.size, gpu.maxBinding) },
    }));
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(run.pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout: run.pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(Math.min(Math.ceil(run.threads / run.groupSize), MAX_GROUPS));
    pass.end();
    encoder.copyBufferToBuffer(result, 0, readback, 0, bytes);
    return submit(gpu, encoder, readback, bytes);
  });
}
