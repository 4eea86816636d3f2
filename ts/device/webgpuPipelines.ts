import type { Dtype } from '../core/types.ts';
import type { UploadOptions } from './device.ts';
import { OPERATION } from './filterProgram.ts';

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

const FILTER_BINDINGS: readonly GPUBufferBindingType[] = [
  'uniform',
  ...Array.from({ length: 3 }, () => 'read-only-storage' as const),
  ...Array.from({ length: 2 }, () => 'storage' as const),
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

/** kernels/filter.wgsl, compiled. */
export interface FilterPipelines {
  layout: GPUBindGroupLayout;
  /** By operation: leaves and joins. */
  steps: Map<number, GPUComputePipeline>;
  count: GPUComputePipeline;
}

/** Compiles kernels/filter.wgsl when it is first needed. */
export function filterPipelines(device: GPUDevice, code: string): () => Promise<FilterPipelines> {
  const compile = async (): Promise<FilterPipelines> => {
    const layout = createLayout(device, FILTER_BINDINGS);
    const pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [layout] });
    const module = device.createShaderModule({ code });
    const make = (entryPoint: string, operation: number) => {
      const compute = { module, entryPoint, constants: { OPERATION: operation } };
      return device.createComputePipelineAsync({ layout: pipelineLayout, compute });
    };
    const { code: codes, wide, set, not, and, or } = OPERATION;
    const leaves = [codes, wide, set].map(async (one) => [one, await make('filterLeaf', one)] as const);
    const joins = [not, and, or].map(async (one) => [one, await make('joinBits', one)] as const);
    const steps = new Map(await Promise.all([...leaves, ...joins]));
    return { layout, steps, count: await make('countBits', OPERATION.none) };
  };
  let compiled: Promise<FilterPipelines> | undefined;
  return () => {
    compiled ??= compile();
    return compiled;
  };
}

function createLayout(device: GPUDevice, bindings: readonly GPUBufferBindingType[]): GPUBindGroupLayout {
  return device.createBindGroupLayout({
    entries: bindings.map((type, binding) => ({ binding, visibility: COMPUTE, buffer: { type } })),
  });
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
  const layout = createLayout(device, BINDINGS);
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
