import type { Dtype } from '../core/types.ts';
import type { UploadOptions } from './device.ts';
import { OPERATION } from './filterProgram.ts';
import type { KernelCode } from './webgpuKernels.ts';

const COMPUTE = 4;
/** Storage types by their number in the kernel. */
const DTYPES: readonly Dtype[] = ['f32', 'f16', 'bf16', 'int8', 'binary'];
/** Four float32 of a query, or 128 of its bits, to a chunk of 16 bytes of a row. */
export const PARTS: Record<Dtype, number> = { f32: 1, f16: 2, bf16: 2, int8: 4, binary: 1 };
/** Of several queries a thread scores its row with a multiple of these. */
export const TILE = 8;
/** Queries that one reading of the rows serves at most. */
export const QUERIES_PER_PASS = 32;
/** What becomes of keys, by its number in kernels/scanGrid.wgsl. */
const KEYS = { all: 0, sample: 1, pruned: 2 } as const;

const bindings = (read: number, write: number): readonly GPUBufferBindingType[] => [
  'uniform',
  ...Array.from({ length: read }, () => 'read-only-storage' as const),
  ...Array.from({ length: write }, () => 'storage' as const),
];
const SCAN_BINDINGS = bindings(5, 3);
const FILTER_BINDINGS = bindings(3, 2);

/**
 * `score` of a scan, of which a thread scores a row with `tile` queries: keys of all slots, the largest ones of a sample
 * of them, or keys of those that the selection does not exclude.
 */
export type Score = (tile: number, keys: keyof typeof KEYS) => Promise<GPUComputePipeline>;

/** An entry point of kernels/select.wgsl. */
export type Selecting = 'histogram' | 'pick' | 'compact' | 'choose' | 'refine';

/** Kernels of scans, compiled when first needed, each once. */
export interface ScanPipelines {
  /** The one bind group layout of all of them. */
  layout: GPUBindGroupLayout;
  byRows(options: UploadOptions): Score;
  byCodes(options: UploadOptions): Score;
  /** Of costs that are exact, or known by two ends. */
  select(entry: Selecting, exact: boolean): Promise<GPUComputePipeline>;
}

/** kernels/filter.wgsl, compiled. */
export interface FilterPipelines {
  layout: GPUBindGroupLayout;
  /** By operation: leaves and joins. */
  steps: Map<number, GPUComputePipeline>;
  count: GPUComputePipeline;
}

/** Queries that a thread scores a row with, of `q`: as few readings of the rows as can be, of whole tiles and alike. */
export function tileOf(q: number): number {
  return q === 1 ? 1 : Math.ceil(q / Math.ceil(q / QUERIES_PER_PASS) / TILE) * TILE;
}

function createLayout(device: GPUDevice, types: readonly GPUBufferBindingType[]): GPUBindGroupLayout {
  return device.createBindGroupLayout({
    entries: types.map((type, binding) => ({ binding, visibility: COMPUTE, buffer: { type } })),
  });
}

/** A kernel with the sums over threads that the device was asked for: `device.features` has `subgroups` or not. */
function withSums(device: GPUDevice, code: KernelCode, parts: readonly string[]): string {
  const sums = device.features.has('subgroups') ? ['enable subgroups;', code.sumSubgroup] : [code.sumAlone];
  return [...sums, ...parts].join('\n');
}

/** The same promise for the same key: what failed once fails again. */
function once<T>(make: () => Promise<T>, made: Map<string, Promise<T>>, key: string): Promise<T> {
  let promise = made.get(key);
  if (promise === undefined) {
    promise = make();
    made.set(key, promise);
  }
  return promise;
}

/** `packed` says whether the adapter's WGSL multiplies packed codes. */
export function scanPipelines(device: GPUDevice, code: KernelCode, packed: boolean): ScanPipelines {
  const layout = createLayout(device, SCAN_BINDINGS);
  const pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [layout] });
  const modules = new Map<string, GPUShaderModule>();
  const moduleOf = (text: string): GPUShaderModule => {
    const module = modules.get(text) ?? device.createShaderModule({ code: text });
    modules.set(text, module);
    return module;
  };
  const compiled = new Map<string, Promise<GPUComputePipeline>>();
  const compile = (text: string, entryPoint: string, constants: Record<string, number>) => {
    const make = () =>
      device.createComputePipelineAsync({
        layout: pipelineLayout,
        compute: { module: moduleOf(text), entryPoint, constants },
      });
    return once(make, compiled, JSON.stringify([text, entryPoint, constants]));
  };
  const scan = (sources: readonly string[], constants: Record<string, number>): Score => {
    const front = [code.rows, code.scanKeys, code.scanGrid];
    return (tile, keys) => {
      const text = withSums(device, code, [`const TILE = ${tile}u;`, ...front, ...sources]);
      return compile(text, 'score', { ...constants, KEYS: KEYS[keys] });
    };
  };
  return {
    layout,
    byRows: ({ metric, dtype, features = 0 }) =>
      scan([code.scan], {
        DTYPE: DTYPES.indexOf(dtype),
        PARTS: PARTS[dtype],
        L2: Number(metric === 'l2'),
        FEATURES: features,
        EXACT: Number(dtype === 'binary'),
      }),
    byCodes: ({ metric }) =>
      scan([packed ? code.dotPacked : code.dotUnpacked, code.certify], {
        L2: Number(metric === 'l2'),
        EXACT: 0,
      }),
    select: (entry, exact) =>
      compile(withSums(device, code, [code.scanKeys, code.select]), entry, { EXACT: Number(exact) }),
  };
}

/** Compiles kernels/filter.wgsl when it is first needed. */
export function filterPipelines(device: GPUDevice, code: KernelCode): () => Promise<FilterPipelines> {
  const compile = async (): Promise<FilterPipelines> => {
    const layout = createLayout(device, FILTER_BINDINGS);
    const pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [layout] });
    const module = device.createShaderModule({ code: withSums(device, code, [code.filter]) });
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

/** Compiles kernels/rescore.wgsl for rows of a form, each once. */
export function rescorePipelines(
  device: GPUDevice,
  code: KernelCode,
): (options: UploadOptions) => Promise<GPUComputePipeline> {
  const module = device.createShaderModule({ code: [code.rows, code.rescore].join('\n') });
  const compiled = new Map<string, Promise<GPUComputePipeline>>();
  return ({ metric, dtype }) => {
    const constants = {
      DTYPE: DTYPES.indexOf(dtype),
      L2: Number(metric === 'l2'),
      COSINE: Number(metric === 'cosine'),
    };
    const compute = { module, entryPoint: 'rescorePairs', constants };
    const make = () => device.createComputePipelineAsync({ layout: 'auto', compute });
    return once(make, compiled, `${metric} ${dtype}`);
  };
}
