import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { provider } from '../../ts/device/cuda.ts';
import { native } from '../../ts/device/native.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = fileURLToPath(new URL('../../build/emulated/', import.meta.url));
const emulated = existsSync(`${folder}seine.node`);
if (!emulated) console.warn('The emulated cuda device is not tested: build/emulated/seine.node is missing.');

const PROBE = `
  const { openDevice, probeDevices } = await import('./dist/device/openDevice.js');
  const [cuda] = await probeDevices();
  const opened = await openDevice('cuda').then(({ description }) => description, ({ message }) => message);
  const auto = await openDevice();
  console.log(JSON.stringify({ cuda, opened, auto: auto.name }));
`;

/** What a process with the emulated addon finds; `machine` names one that must be refused. */
async function probe(machine: string) {
  const env = { ...process.env, SEINE_ADDON: `${folder}seine.node`, SEINE_EMULATED_CUDA: machine };
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', PROBE], { cwd: root, env });
  return JSON.parse(stdout) as {
    cuda: { available: boolean; reason: string; software: boolean; chosen: boolean };
    opened: string;
    auto: string;
  };
}

test('a build without CUDA says so', async () => {
  if (native()?.openCuda !== undefined)
    return console.warn('This build has CUDA: its absence is not tested.');
  const { available, reason } = await provider.probe();
  expect(available).toBe(false);
  if (native() !== undefined) expect(reason).toMatch(/no CUDA kernels: install the CUDA toolkit 12 or newer/);
  await expect(provider.open()).rejects.toMatchObject({ code: 'ERR_DEVICE_UNAVAILABLE' });
});

(emulated ? describe : describe.skip)('the emulated device', () => {
  test('is there if asked for and never chosen', async () => {
    const { cuda, opened, auto } = await probe('');
    expect(cuda).toMatchObject({ available: true, software: true, chosen: false });
    expect(opened).toBe('cuda (emulated), compute capability 9.0, 1024 MiB');
    expect(auto).not.toBe('cuda');
  });

  test.each([
    ['no-driver', 'no NVIDIA driver was found: install one for CUDA 13.0 or newer'],
    [
      'old-driver',
      'the NVIDIA driver is too old: it runs CUDA 11.4, this build needs CUDA 13.0: update the driver',
    ],
    [
      'no-gpu',
      'the NVIDIA driver shows no GPU: if there is one, check CUDA_VISIBLE_DEVICES and the permissions of /dev/nvidia*',
    ],
    ['old-gpu', 'the GPU is too old: compute capability 8.0 or newer is needed, found cuda (emulated) (7.5)'],
  ])('is refused on a machine with %s', async (machine, reason) => {
    const { cuda, opened } = await probe(machine);
    expect(cuda).toMatchObject({ available: false, reason, chosen: false });
    expect(opened).toBe(`cuda was asked for, but ${reason}.`);
  });

  test('the emulation finds misuse, and the host code keeps its promises', async () => {
    const { stdout } = await run(`${folder}emulatedCudaTest`);
    expect(stdout.match(/^ok: /gm)?.length).toBeGreaterThan(25);
    expect(stdout).not.toContain('FAILED');
  }, 300_000);
});
