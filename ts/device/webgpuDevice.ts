import { SeineError } from '../core/errors.ts';
import type { BackendDevice } from './device.ts';
import { BufferPool, USAGE } from './webgpuBuffers.ts';
import { mergeOnGpu } from './webgpuMerge.ts';
import { createPipelines, filterPipelines, rescorePipelines } from './webgpuPipelines.ts';
import { WebgpuRows } from './webgpuRows.ts';
import type { GpuContext } from './webgpuSearch.ts';
import { selectOnGpu } from './webgpuSelect.ts';

/** Texts of the files in kernels/ that bear these names. */
export interface KernelCode {
  scan: string;
  merge: string;
  rescore: string;
  filter: string;
}

/** Kernels address a shard by 32-bit indices of 16-byte chunks, and so may the host. */
const MAX_SHARD_BYTES = 2 ** 30;

/**
 * The device of an adapter, wherever that comes from; `code` are the texts of the kernels. `maxShardBytes`
 * limits one buffer of rows below what the adapter allows; `quantize` rounds rows off the event loop, where there is
 * something that does.
 */
export async function openWebgpuDevice(
  adapter: GPUAdapter,
  code: KernelCode | Promise<KernelCode>,
  maxShardBytes = MAX_SHARD_BYTES,
  quantize?: GpuContext['quantize'],
): Promise<BackendDevice> {
  try {
    return await open(adapter, await code, maxShardBytes, quantize);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SeineError('ERR_DEVICE', `The webgpu device could not be opened: ${why}`, { cause });
  }
}

async function open(
  adapter: GPUAdapter,
  code: KernelCode,
  maxShardBytes: number,
  quantize: GpuContext['quantize'],
): Promise<BackendDevice> {
  const { info, limits } = adapter;
  const { maxStorageBufferBindingSize, maxBufferSize } = limits;
  const device = await adapter.requestDevice({
    requiredLimits: { maxStorageBufferBindingSize, maxBufferSize },
  });
  let failure: string | undefined;
  device.lost.then(({ reason, message }) => {
    failure ??= `was lost (${reason}: ${message})`;
  });
  device.addEventListener('uncapturederror', (event) => {
    failure ??= `failed: ${event.error.message}`;
  });
  const maxBinding = Math.floor(Math.min(maxStorageBufferBindingSize, maxBufferSize) / 16) * 16;
  const context: GpuContext = {
    device,
    pipelines: createPipelines(device, code.scan),
    rescoring: rescorePipelines(device, code.rescore),
    filtering: filterPipelines(device, code.filter),
    maxBinding,
    maxShardBytes: Math.min(maxShardBytes, MAX_SHARD_BYTES, maxBinding),
    quantize,
    checkAlive: () => {
      if (failure === undefined) return;
      throw new SeineError('ERR_DEVICE', `The webgpu device ${failure}: close it and open it again.`);
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
      return new WebgpuRows(context, options, await context.pipelines.kernelsFor(options));
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
