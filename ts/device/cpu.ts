import { SeineError } from '../core/errors.ts';
import { threadBudget } from '../core/threads.ts';
import type { BackendDevice, BackendRows, DeviceProvider, SearchTask, UploadOptions } from './device.ts';
import {
  METRICS,
  type NativeAddon,
  type NativeBackend,
  native,
  nativeError,
  nativeProblem,
} from './native.ts';

/**
 * Exact search with the processor's vector instructions, in the addon. `SEINE_ISA` (avx512, avx2, neon, scalar)
 * picks an instruction-set level, by default the best one of this processor.
 */
export const provider: DeviceProvider = {
  name: 'cpu',
  probe: async () => {
    try {
      const { addon, backend } = openAddon();
      return {
        available: true,
        reason: `SIMD addon: ${addon.describe(backend)}`,
        software: false,
        details: { isa: chosenIsa(addon), isas: addon.supportedIsas(), addon: addon.version },
      };
    } catch (error) {
      return { available: false, reason: nativeError(error).message, software: false, details: {} };
    }
  },
  open: async () => {
    try {
      return openDevice();
    } catch (error) {
      throw nativeError(error);
    }
  },
};

function chosenIsa(addon: NativeAddon): string {
  return process.env.SEINE_ISA || addon.supportedIsas()[0]!;
}

function openAddon(): { addon: NativeAddon; backend: NativeBackend } {
  const addon = native();
  if (addon === undefined) throw nativeProblem();
  return { addon, backend: addon.openCpu(chosenIsa(addon), threadBudget()) };
}

function openDevice(): BackendDevice {
  const { addon, backend } = openAddon();
  return {
    name: 'cpu',
    description: addon.describe(backend),
    createRows: async (options) => createRows(addon, backend, options),
    close: async () => {}, // the pool belongs to the process
  };
}

function createRows(addon: NativeAddon, backend: NativeBackend, options: UploadOptions): BackendRows {
  const rows = addon.createRows(backend, options.dim, METRICS.indexOf(options.metric));
  return {
    get bytes() {
      return addon.bytes(rows);
    },
    append: (data) => asSeine(() => addon.append(rows, data)),
    findNotFinite: (values) => asSeine(() => addon.findNotFinite(values)),
    search: (task) =>
      asSeine(async () => {
        const { queries, q, k, count, allowed, passing } = task;
        const [ids, scores] = allocate(task);
        const [search, done] = addon.search(rows, queries, q, k, count, allowed, passing, ids, scores);
        const cancel = () => addon.cancel(search);
        task.signal?.addEventListener('abort', cancel, { once: true });
        try {
          await done;
        } finally {
          task.signal?.removeEventListener('abort', cancel);
        }
        return { ids, scores };
      }),
    dispose: async () => addon.disposeRows(rows),
  };
}

function allocate({ q, k }: SearchTask): [ids: Uint32Array, scores: Float32Array] {
  try {
    return [new Uint32Array(q * k), new Float32Array(q * k)];
  } catch (cause) {
    throw new SeineError(
      'ERR_OUT_OF_MEMORY',
      `A result of ${q} queries × k = ${k} takes ${q * k * 8} bytes more than could be had: ask for fewer.`,
      { cause },
    );
  }
}

async function asSeine<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw nativeError(error);
  }
}
