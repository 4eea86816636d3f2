import { SeineError } from '../core/errors.ts';
import type { BackendDevice } from './device.ts';
import { BufferPool, USAGE } from './webgpuBuffers.ts';
import type { GpuContext } from './webgpuContext.ts';
import type { KernelCode } from './webgpuKernels.ts';
import { mergeOnGpu } from './webgpuMerge.ts';
import { filterPipelines, rescorePipelines, scanPipelines } from './webgpuPipelines.ts';
import { WebgpuRows } from './webgpuRows.ts';
import { selectOnGpu } from './webgpuSelect.ts';

/** Kernels address a shard by 32-bit indices of 16-byte chunks, and so may the host. */
const MAX_SHARD_BYTES = 2 ** 30;

export interface WebgpuOptions {
  /** Texts of the kernels. */
  code: KernelCode | Promise<KernelCode>;
  /** What the WGSL of this place has beyond the first version: `wgslLanguageFeatures` of its `gpu`. */
  language: { has(feature: string): boolean };
  /** False leaves the adapter's subgroups unused. */
  subgroups?: boolean | undefined;
  /** Limits one buffer of rows below what the adapter allows. */
  maxShardBytes?: number | undefined;
  /** Rounds rows off the event loop, where there is something that does. */
  quantize?: GpuContext['quantize'];
}

/** The device of an adapter, wherever that comes from. */
export async function openWebgpuDevice(adapter: GPUAdapter, options: WebgpuOptions): Promise<BackendDevice> {
  try {
    return await open(adapter, await options.code, options);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SeineError('ERR_DEVICE', `The webgpu device could not be opened: ${why}`, { cause });
  }
}

async function open(
  adapter: GPUAdapter,
  code: KernelCode,
  { language, subgroups = true, maxShardBytes = MAX_SHARD_BYTES, quantize }: WebgpuOptions,
): Promise<BackendDevice> {
  const { info, limits, features } = adapter;
  const { maxStorageBufferBindingSize, maxBufferSize } = limits;
  const device = await adapter.requestDevice({
    requiredLimits: { maxStorageBufferBindingSize, maxBufferSize },
    requiredFeatures: subgroups && features.has('subgroups') ? ['subgroups'] : [],
  });
  let failure: { code: 'ERR_DEVICE' | 'ERR_DEVICE_LOST'; what: string } | undefined;
  device.lost.then(({ reason, message }) => {
    failure = { code: 'ERR_DEVICE_LOST', what: `was lost (${reason}: ${message})` };
  });
  device.addEventListener('uncapturederror', (event) => {
    failure ??= { code: 'ERR_DEVICE', what: `failed: ${event.error.message}` };
  });
  const maxBinding = Math.floor(Math.min(maxStorageBufferBindingSize, maxBufferSize) / 16) * 16;
  const context: GpuContext = {
    device,
    scanning: scanPipelines(device, code, language.has('packed_4x8_integer_dot_product')),
    rescoring: rescorePipelines(device, code),
    filtering: filterPipelines(device, code),
    maxBinding,
    maxShardBytes: Math.min(maxShardBytes, MAX_SHARD_BYTES, maxBinding),
    quantize,
    checkAlive: () => {
      if (failure === undefined) return;
      throw new SeineError(failure.code, `The webgpu device ${failure.what}: close it and open it again.`);
    },
  };
  const pool = new BufferPool(device);
  const unread = device.createBuffer({ size: 256, usage: USAGE.storage });
  const merging = device.createComputePipelineAsync({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code: code.merge }), entryPoint: 'mergeEntries' },
  });
  merging.catch(() => {}); // whoever merges is told
  return {
    name: 'webgpu',
    description: describe(info),
    select: async (task) => {
      context.checkAlive();
      return selectOnGpu(context, pool, unread, task);
    },
    merge: async (task) => {
      context.checkAlive();
      return mergeOnGpu(context, pool, await merging, task);
    },
    createRows: async (options) => {
      context.checkAlive();
      return new WebgpuRows(context, options);
    },
    close: async () => {
      device.destroy();
      await device.lost;
    },
  };
}

/** What an adapter calls itself, or its maker: browsers keep the rest to themselves. */
export function adapterName(info: GPUAdapterInfo): string {
  return info.description || info.device || makerOf(info) || 'unnamed adapter';
}

const makerOf = ({ vendor, architecture }: GPUAdapterInfo): string => `${vendor} ${architecture}`.trim();

function describe(info: GPUAdapterInfo): string {
  const [name, maker] = [adapterName(info), makerOf(info)];
  return maker === '' || maker === name ? `${name} (WebGPU)` : `${name} (${maker}, WebGPU)`;
}
