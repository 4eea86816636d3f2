import { afterAll, beforeAll } from '@jest/globals';
import type { Device } from '../../ts/device/device.ts';
import { openDevice } from '../../ts/device/openDevice.ts';

/** Devices of a suite, open while its tests run. */
export interface Opened {
  device: Device;
  reference: Device;
}

/** Opens a device and the reference before the tests of this block, and closes both after them. */
export function openedWithReference(open: () => Promise<Device>): Opened {
  const opened = {} as Opened;
  beforeAll(async () => {
    opened.device = await open();
    opened.reference = await openDevice('reference');
  });
  afterAll(async () => {
    await opened.device.close();
    await opened.reference.close();
  });
  return opened;
}
