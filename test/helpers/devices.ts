import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openCuda } from '../../ts/device/cuda.ts';
import type { Device } from '../../ts/device/device.ts';
import { loadAddon } from '../../ts/device/native.ts';
import { openDevice, probeDevices } from '../../ts/device/openDevice.ts';
import { OpenedDevice } from '../../ts/device/openedDevice.ts';
import { openWebgpu } from '../../ts/device/webgpu.ts';

export interface DeviceUnderTest {
  label: string;
  open: () => Promise<Device>;
  /** Share of a property's runs that suits its speed: a GPU imitated by a busy processor is slow. */
  pace: number;
}

const SLOW = 0.3;

/** The device of a label. */
const nameOf = (label: string) => label.split(' ')[0]!;
const wanted = process.env.SEINE_DEVICES?.split(',');
const probes = await probeDevices();
const there = new Set(probes.filter(({ available }) => available).map(({ name }) => name));

if (process.env.VK_ICD_FILENAMES !== undefined && !there.has('webgpu')) {
  const reason = probes.find(({ name }) => name === 'webgpu')?.reason;
  throw new Error(`VK_ICD_FILENAMES names a Vulkan driver, but webgpu found no adapter: ${reason}`);
}
for (const { name, available, reason } of probes) {
  if (!available && wanted === undefined) console.warn(`The device ${name} is not tested here: ${reason}.`);
}

/** Every device of this machine; webgpu once more with shards so small that each holds a few blocks. */
const all: DeviceUnderTest[] = [...there].map((name) => ({
  label: name,
  open: () => openDevice(name),
  pace: name === 'webgpu' ? SLOW : 1,
}));
if (there.has('webgpu')) {
  all.push({
    label: 'webgpu in small shards',
    pace: SLOW,
    open: async () => new OpenedDevice(await openWebgpu({ maxShardBytes: 2 ** 13 })),
  });
}

/** The addon whose CUDA device runs on the processor (`node scripts/buildNative.mjs --emulated`), or one that is named. */
export const emulatedAddon =
  process.env.SEINE_EMULATED_ADDON ??
  fileURLToPath(new URL('../../build/emulated/seine.node', import.meta.url));
if (existsSync(emulatedAddon)) {
  all.push({
    label: 'cuda (emulated)',
    pace: SLOW,
    open: async () => new OpenedDevice(await openCuda(loadAddon(emulatedAddon))),
  });
  all.push({
    label: 'cuda on two devices (emulated)',
    pace: SLOW / 2,
    open: async () =>
      new OpenedDevice(await openCuda(loadAddon(emulatedAddon), { devices: [0, 1], blockRows: 32 })),
  });
} else {
  console.warn('The emulated cuda device is not tested: build/emulated/seine.node is missing.');
}

/** The devices under test: all, or those that SEINE_DEVICES names, like `webgpu,cpu`. */
export const devices = all.filter(({ label }) => wanted === undefined || wanted.includes(nameOf(label)));
for (const name of wanted ?? []) {
  if (devices.some(({ label }) => nameOf(label) === name)) continue;
  const reason = probes.find((probe) => probe.name === name)?.reason;
  throw new Error(`SEINE_DEVICES names ${name}, which is not there: ${reason ?? 'no device has this name'}`);
}
