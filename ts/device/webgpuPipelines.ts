import type { Dtype } from '../core/types.ts';
import type { UploadOptions } from './device.ts';

const COMPUTE = 4;
/** Storage types by their number in the kernel. */
const DTYPES: readonly Dtype[] = ['f32', 'f16', 'bf16', 'int8', 'binary'];
/** Four float32 of a query, or 128 of its bits, to a chunk of 16 bytes of a row. */
export const PARTS: Record<Dtype, number> = { f32: 1, f16: 2, bf16: 2, int8: 4, binary: 1 };
const BINDINGS: readonly GPUBufferBindingType[] = [
  'uniform',
  ...Array.from({ length: 5 }, () => 'read-only-storage' as const),
  ...Array.from({ length: 3 }, () => 'storage' as const),
];

/** Entry points of kernels/scan.wgsl, compiled. */
export interface Kernels {
  score1: GPUComputePipeline;
  score8: GPUComputePipeline;
  histogram: GPUComputePipeline;
  pick: GPUComputePipeline;
  compact: GPUComputePipeline;
}

export interface Pipelines {
  /** The one bind group layout of all of them. */
  layout: GPUBindGroupLayout;
  /** Compiles what has not been compiled before. */
  kernelsFor(options: UploadOptions): Promise<Kernels>;
}

/** Compiles kernels/rescore.wgsl for rows of a form, each once. */
export function rescorePipelines(
  device: GPUDevice,
  code: string,
): (options: UploadOptions) => Promise<GPUComputePipeline> {
  const module = device.createShaderModule({ code });
  const compiled = new Map<string, Promise<GPUComputePipeline>>();
  return ({ metric, dtype }) => {
    const key = `${metric} ${dtype}`;
    let pipeline = compiled.get(key);
    if (pipeline === undefined) {
      const constants = {
        DTYPE: DTYPES.indexOf(dtype),
        L2: metric === 'l2' ? 1 : 0,
        COSINE: metric === 'cosine' ? 1 : 0,
      };
      const compute = { module, entryPoint: 'rescorePairs', constants };
      pipeline = device.createComputePipelineAsync({ layout: 'auto', compute });
      compiled.set(key, pipeline);
    }
    return pipeline;
  };
}

export function createPipelines(device: GPUDevice, code: string): Pipelines {
  const layout = device.createBindGroupLayout({
    entries: BINDINGS.map((type, binding) => ({ binding, visibility: COMPUTE, buffer: { type } })),
  });
  const pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [layout] });
  const module = device.createShaderModule({ code });
  const compiled = new Map<string, Promise<GPUComputePipeline>>();
  const compile = (entryPoint: string, constants: Record<string, number>): Promise<GPUComputePipeline> => {
    const key = JSON.stringify([entryPoint, constants]);
    let pipeline = compiled.get(key);
    if (pipeline === undefined) {
      const compute = { module, entryPoint, constants };
      pipeline = device.createComputePipelineAsync({ layout: pipelineLayout, compute });
      compiled.set(key, pipeline);
    }
    return pipeline;
  };
  const kernelsFor = async ({ metric, dtype, features = 0 }: UploadOptions): Promise<Kernels> => {
    const constants = {
      DTYPE: DTYPES.indexOf(dtype),
      PARTS: PARTS[dtype],
      L2: metric === 'l2' ? 1 : 0,
      FEATURES: features,
    };
    const [score1, score8, histogram, pick, compact] = await Promise.all([
      compile('score1', constants),
      compile('score8', constants),
      compile('histogram', constants),
      compile('pick', constants),
      compile('compact', constants),
    ]);
    return { score1, score8, histogram, pick, compact };
  };
  return { layout, kernelsFor };
}
