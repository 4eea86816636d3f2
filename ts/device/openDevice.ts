import { SeineError, show } from '../core/errors.ts';
import type { DeviceName } from '../core/types.ts';
import type { Device } from './device.ts';
import { checkDeviceOptions, type DeviceOptions } from './deviceOptions.ts';
import type { DeviceProvider, Probe } from './deviceProvider.ts';
import { OpenedDevice } from './openedDevice.ts';

/** What `openDevice` takes. */
export type DeviceChoice = 'auto' | DeviceName;

/** Loaded only when asked for: the addon and Dawn are heavy, and either may be missing. */
const PROVIDERS: Record<DeviceName, () => Promise<DeviceProvider>> = {
  cuda: async () => (await import('./cuda.ts')).provider,
  webgpu: async () => (await import('./webgpu.ts')).provider,
  cpu: async () => (await import('./cpu.ts')).provider,
  reference: async () => (await import('./reference/device.ts')).provider,
};

const NAMES = Object.keys(PROVIDERS) as DeviceName[];

/** What a device is taken for in the automatic order, best first; `webgpu` stands there twice. */
const ORDER: readonly { name: DeviceName; software?: boolean }[] = [
  { name: 'cuda', software: false },
  { name: 'webgpu', software: false },
  { name: 'cpu' },
  { name: 'webgpu', software: true },
  { name: 'reference' },
];

/**
 * Opens a device: the one named, or the best there is ('auto': cuda, webgpu on a real adapter, cpu, webgpu on a
 * software adapter, reference). A device asked for by name that is not there throws `ERR_DEVICE_UNAVAILABLE`.
 */
export async function openDevice(
  choice: DeviceChoice = 'auto',
  options: DeviceOptions = {},
): Promise<Device> {
  if (choice !== 'auto' && !NAMES.includes(choice)) {
    const names = ['auto', ...NAMES].map((name) => `'${name}'`).join(', ');
    throw new SeineError('ERR_ARGUMENT', `The device must be one of ${names}, got ${show(choice)}.`);
  }
  checkDeviceOptions(options, choice);
  const name = choice === 'auto' ? await chooseDevice(probeOnce()) : choice;
  const provider = await PROVIDERS[name]();
  return new OpenedDevice(await provider.open(options));
}

/** A device as `doctor` shows it. */
export interface ProbedDevice extends Probe {
  name: DeviceName;
  /** Whether 'auto' takes it. */
  chosen: boolean;
}

/** Every device with why it is there or not, in the order of `DeviceName`, and which one 'auto' takes. */
export async function probeDevices(): Promise<ProbedDevice[]> {
  const probe = probeOnce();
  const chosen = await chooseDevice(probe);
  return Promise.all(NAMES.map(async (name) => ({ name, chosen: name === chosen, ...(await probe(name)) })));
}

function probeOnce(): (name: DeviceName) => Promise<Probe> {
  const probes = new Map<DeviceName, Promise<Probe>>();
  return (name) => {
    let probe = probes.get(name);
    if (probe === undefined) {
      probe = PROVIDERS[name]().then((provider) => provider.probe());
      probes.set(name, probe);
    }
    return probe;
  };
}

/** The first of the automatic order that is there; probes no further than it has to. */
async function chooseDevice(probe: (name: DeviceName) => Promise<Probe>): Promise<DeviceName> {
  for (const { name, software } of ORDER) {
    const { available, software: imitated } = await probe(name);
    if (available && (software === undefined || software === imitated)) return name;
  }
  return 'reference';
}
