import { SeineError } from '../core/errors.ts';
import { threadBudget } from '../core/threads.ts';
import type { BackendDevice } from './device.ts';
import type { DeviceOptions } from './deviceOptions.ts';
import type { DeviceProvider } from './deviceProvider.ts';
import { type NativeAddon, type NativeBackend, native, nativeError, nativeProblem } from './native.ts';
import { nativeRows } from './nativeRows.ts';
import { nativeSelect } from './nativeSelect.ts';

export interface CudaOptions extends DeviceOptions {
  /** Rows that lie together on one of several GPUs: a power of two from 32 on. */
  blockRows?: number;
}

/** A search of fewer rows is too short to be worth a second GPU. */
const BLOCK_ROWS = 4096;

/** Exact search on NVIDIA GPUs of compute capability 8.0 or newer, in builds of the addon with CUDA. */
export const provider: DeviceProvider = {
  name: 'cuda',
  probe: async () => {
    try {
      const { addon, backend } = await openBackend(native(), {});
      return {
        available: true,
        reason: addon.describe(backend),
        software: addon.cudaEmulated === true,
        details: { addon: addon.version },
      };
    } catch (error) {
      return { available: false, reason: nativeError(error).message, software: false, details: {} };
    }
  },
  open: (options) => openCuda(native(), options),
};

/** Opens the GPUs of one build of the addon as one device. */
export async function openCuda(
  addon: NativeAddon | undefined,
  options: CudaOptions = {},
): Promise<BackendDevice> {
  try {
    return await openDevice(addon, options);
  } catch (error) {
    const cause = nativeError(error);
    if (addon === undefined || cause.code !== 'ERR_DEVICE_UNAVAILABLE') throw cause;
    throw new SeineError(cause.code, `cuda was asked for, but ${cause.message}.`, { cause });
  }
}

async function openDevice(built: NativeAddon | undefined, options: CudaOptions): Promise<BackendDevice> {
  const { addon, backend } = await openBackend(built, options);
  return {
    name: 'cuda',
    description: addon.describe(backend),
    createRows: async (options) => nativeRows(addon, backend, options),
    ...nativeSelect(addon, backend),
    close: async () => {}, // the device's thread belongs to the process
  };
}

async function openBackend(
  addon: NativeAddon | undefined,
  { devices = [], blockRows = BLOCK_ROWS }: CudaOptions,
): Promise<{ addon: NativeAddon; backend: NativeBackend }> {
  if (addon === undefined) throw nativeProblem();
  if (addon.openCuda === undefined) {
    throw new SeineError(
      'ERR_DEVICE_UNAVAILABLE',
      'this build of the addon has no CUDA kernels: install the CUDA toolkit 12 or newer and run ' +
        '`SEINE_CUDA=ON npm run build:native`, or use webgpu, which reaches NVIDIA GPUs through Vulkan, or cpu',
    );
  }
  return { addon, backend: await addon.openCuda(threadBudget(), Uint32Array.from(devices), blockRows) };
}
