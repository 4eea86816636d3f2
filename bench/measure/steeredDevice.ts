import { provider } from '../../ts/device/cpu.ts';
import type { Device } from '../../ts/device/device.ts';
import { OpenedDevice } from '../../ts/device/openedDevice.ts';

/** How a filtered search reads rows: as the device chooses, by a list of those that pass, or by their bitset. */
export type Strategy = 'chosen' | 'list' | 'mask';

export interface SteeredDevice {
  device: Device;
  /** What searches of its rows do from now on. */
  steer(strategy: Strategy): void;
}

/** The cpu device with its choice of a strategy taken from it: all else is as it always is. */
export async function steeredDevice(): Promise<SteeredDevice> {
  const cpu = await provider.open();
  let steered: Strategy = 'chosen';
  const device = new OpenedDevice({
    ...cpu,
    async createRows(options) {
      const rows = await cpu.createRows(options);
      const { listPays } = rows;
      return Object.assign(rows, {
        listPays: (shape: Parameters<NonNullable<typeof listPays>>[0]) =>
          steered === 'chosen' ? listPays!(shape) : steered === 'list',
      });
    },
  });
  return {
    device,
    steer: (strategy) => {
      steered = strategy;
    },
  };
}
