import type { DeviceName } from '../core/types.ts';
import type { BackendDevice } from './device.ts';
import type { DeviceOptions } from './deviceOptions.ts';

/** Facts about a device that this machine has or lacks. */
export interface Probe {
  available: boolean;
  /** Why it can or cannot be used; if it cannot, what to do about it. */
  reason: string;
  /** Whether a processor only imitates the device: it then comes after `cpu` in the automatic order. */
  software: boolean;
  details: Record<string, string | number | boolean | string[]>;
}

/** What `cpu.ts`, `cuda.ts`, `webgpu.ts` and `reference/device.ts` export as `provider`. */
export interface DeviceProvider {
  readonly name: DeviceName;
  /** Never throws; starts nothing that would keep the process alive. */
  probe(): Promise<Probe>;
  /** Opens it, or throws `ERR_DEVICE_UNAVAILABLE` with why and the remedy. */
  open(options?: DeviceOptions): Promise<BackendDevice>;
}
