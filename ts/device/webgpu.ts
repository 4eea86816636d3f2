import { readFile } from 'node:fs/promises';
import { SeineError } from '../core/errors.ts';
import type { BackendDevice } from './device.ts';
import type { DeviceProvider, Probe } from './deviceProvider.ts';
import { native } from './native.ts';
import { nativeQuantize } from './nativeQuantize.ts';
import type { GpuContext } from './webgpuContext.ts';
import { adapterName, openWebgpuDevice } from './webgpuDevice.ts';
import { KERNEL_NAMES, type KernelCode } from './webgpuKernels.ts';

/**
 * Dawn crashes if its `gpu` object is collected while its adapter or device lives, and holds the process open as
 * long as it has a device: so each stays here until it is done with.
 */
const instances = new Set<GPU>();

/** WebGPU through Dawn, the npm package `webgpu`, on any Vulkan, Metal or Direct3D 12 driver. */
export const provider: DeviceProvider = {
  name: 'webgpu',
  probe: async () => {
    const found = await findAdapter();
    if ('missing' in found) return { available: false, reason: found.missing, software: false, details: {} };
    const probe = describe(found.adapter);
    instances.delete(found.gpu);
    return probe;
  },
  open: () => openWebgpu(),
};

/** What tests limit below what the adapter and its WGSL have. */
interface Limits {
  maxShardBytes?: number | undefined;
  language?: { has(feature: string): boolean } | undefined;
  subgroups?: boolean | undefined;
}

/** Opens the device; `SEINE_SUBGROUPS=0` leaves the adapter's subgroups unused. */
export async function openWebgpu({
  maxShardBytes,
  language,
  subgroups = process.env.SEINE_SUBGROUPS !== '0',
}: Limits = {}): Promise<BackendDevice> {
  const found = await findAdapter();
  if ('missing' in found) {
    throw new SeineError('ERR_DEVICE_UNAVAILABLE', `webgpu was asked for, but ${found.missing}.`);
  }
  const { gpu, adapter } = found;
  try {
    const addon = native();
    const quantize: GpuContext['quantize'] =
      addon && ((values, options) => nativeQuantize(addon, values, options));
    const device = await openWebgpuDevice(adapter, {
      code: readKernels(),
      language: language ?? gpu.wgslLanguageFeatures,
      subgroups,
      maxShardBytes,
      quantize,
    });
    const close = async () => {
      await device.close();
      instances.delete(gpu);
    };
    return { ...device, close };
  } catch (error) {
    instances.delete(gpu);
    throw error;
  }
}

async function readKernels(): Promise<KernelCode> {
  const texts = await Promise.all(
    KERNEL_NAMES.map(async (name) => {
      const url = new URL(`../../kernels/${name}.wgsl`, import.meta.url);
      return [name, await readFile(url, 'utf8')] as const;
    }),
  );
  return Object.fromEntries(texts) as KernelCode;
}

/** The adapter and its instance, which the caller releases; or why there is none and what to do. */
async function findAdapter(): Promise<{ gpu: GPU; adapter: GPUAdapter } | { missing: string }> {
  if (process.platform === 'linux' && !canLoad('libvulkan.so.1')) {
    return {
      missing: 'the Vulkan loader libvulkan.so.1 is not installed: install it and a driver for the GPU',
    };
  }
  let create: (options: string[]) => GPU;
  try {
    ({ create } = await import('webgpu'));
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    return { missing: `the npm package webgpu cannot be loaded (npm install webgpu): ${why}` };
  }
  const gpu = create([]);
  instances.add(gpu);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter !== null) return { gpu, adapter };
  instances.delete(gpu);
  return { missing: 'no driver offers a WebGPU adapter: install one for Vulkan, Metal or Direct3D 12' };
}

/** Asks the dynamic linker beforehand, since Dawn complains on the terminal where there is no Vulkan. */
function canLoad(library: string): boolean {
  try {
    process.dlopen({ exports: {} }, library);
    return true;
  } catch (error) {
    return !(error instanceof Error && error.message.includes('cannot open shared object'));
  }
}

function describe({ info, limits, features }: GPUAdapter): Probe {
  const software = info.isFallbackAdapter;
  return {
    available: true,
    reason: software
      ? `${adapterName(info)} imitates a GPU on the processor: slower than the cpu device`
      : `${adapterName(info)} is there`,
    software,
    details: {
      adapter: adapterName(info),
      vendor: info.vendor,
      architecture: info.architecture,
      type: software ? 'software' : 'hardware',
      features: [...features].sort(),
      maxBufferSize: limits.maxBufferSize,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
    },
  };
}
