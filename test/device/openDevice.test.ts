import { expect, test } from '@jest/globals';
import { type DeviceChoice, openDevice, probeDevices } from '../../ts/device/openDevice.ts';

test('an unknown name is refused with the known ones', async () => {
  await expect(openDevice('gpu' as DeviceChoice)).rejects.toMatchObject({
    code: 'ERR_ARGUMENT',
    message: `The device must be one of 'auto', 'cuda', 'webgpu', 'cpu', 'reference', got "gpu".`,
  });
});

test('every device has a reason, one is chosen, and auto opens that one', async () => {
  const probes = await probeDevices();
  expect(probes.map(({ name }) => name)).toEqual(['cuda', 'webgpu', 'cpu', 'reference']);
  for (const { reason } of probes) expect(reason.length).toBeGreaterThan(10);
  const chosen = probes.filter((probe) => probe.chosen);
  expect(chosen).toHaveLength(1);
  await using device = await openDevice();
  expect(device.name).toBe(chosen[0]!.name);
  expect(device.description.length).toBeGreaterThan(10);
});

test('an adapter in software comes after the cpu device', async () => {
  const probes = await probeDevices();
  const of = (name: string) => probes.find((probe) => probe.name === name)!;
  if (of('cuda').available) {
    expect(of('cuda').chosen).toBe(true);
  } else if (of('webgpu').available && !of('webgpu').software) {
    expect(of('webgpu').chosen).toBe(true);
  } else {
    expect(of('cpu').available).toBe(of('cpu').chosen);
  }
});

test('a name gets that device or an error with the remedy', async () => {
  for (const { name, available } of await probeDevices()) {
    if (available) {
      await using device = await openDevice(name);
      expect(device.name).toBe(name);
    } else {
      await expect(openDevice(name)).rejects.toMatchObject({ code: 'ERR_DEVICE_UNAVAILABLE' });
    }
  }
});

test.each([
  ['cpu', [0], 'devices go with \'cuda\' only, got "cpu".'],
  ['cuda', [], 'devices must be an array of 1 to 64 different numbers of GPUs from 0 on, got an array of 0.'],
  [
    'cuda',
    [0, 0],
    'devices must be an array of 1 to 64 different numbers of GPUs from 0 on, got an array of 2.',
  ],
  [
    'cuda',
    [0.5],
    'devices must be an array of 1 to 64 different numbers of GPUs from 0 on, got an array of 1.',
  ],
  ['cuda', '0', 'devices must be an array of 1 to 64 different numbers of GPUs from 0 on, got "0".'],
] as const)('%s with devices %p is refused', async (name, devices, message) => {
  const options = { devices: devices as readonly number[] };
  await expect(openDevice(name, options)).rejects.toMatchObject({ code: 'ERR_ARGUMENT', message });
});
