import { threadBudget } from '../core/threads.ts';
import { cpuListPays } from './cpuListPays.ts';
import type { BackendDevice } from './device.ts';
import type { DeviceProvider } from './deviceProvider.ts';
import { type NativeAddon, type NativeBackend, native, nativeError, nativeProblem } from './native.ts';
import { nativeRows } from './nativeRows.ts';
import { nativeSelect } from './nativeSelect.ts';

/**
 * Exact search with the processor's vector instructions, in the addon. `SEINE_ISA` (amx, avx512vnni,
 * avx512, avx2, neondot, neon, scalar) picks an instruction-set level, by default the best one of this processor.
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
  return { addon, backend: addon.openCpu(chosenIsa(addon), threadBudget(), true) };
}

function openDevice(): BackendDevice {
  const { addon, backend } = openAddon();
  const listPays = cpuListPays(chosenIsa(addon));
  return {
    name: 'cpu',
    description: addon.describe(backend),
    createRows: async (options) => Object.assign(nativeRows(addon, backend, options), { listPays }),
    ...nativeSelect(addon, backend),
    close: async () => {}, // the pool belongs to the process
  };
}
