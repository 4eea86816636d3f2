import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { openCuda, provider } from '../../ts/device/cuda.ts';
import { loadAddon, native } from '../../ts/device/native.ts';
import { emulatedAddon } from '../helpers/devices.ts';
import { EFFORT, SEED } from '../helpers/effort.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const emulated = existsSync(emulatedAddon);
if (!emulated) console.warn('The emulated cuda device is not tested: build/emulated/seine.node is missing.');

const PROBE = `
  const { openDevice, probeDevices } = await import('./dist/device/openDevice.js');
  const [cuda] = await probeDevices();
  const opened = await openDevice('cuda').then(({ description }) => description, ({ message }) => message);
  const auto = await openDevice();
  console.log(JSON.stringify({ cuda, opened, auto: auto.name }));
`;

/** Every call of rows, one after the other; each failure by code and message. */
const CALLS = `
  const { openDevice } = await import('./dist/device/openDevice.js');
  const failures = [];
  const attempt = async (action) => {
    try { return await action(); } catch ({ code, message }) { failures.push(code + ' ' + message); }
  };
  const again = async (action) => (await attempt(action)) ?? attempt(action);
  const data = Float32Array.from({ length: 400 }, (_, i) => Math.sin(i));
  const use = async (name) => {
    const device = await openDevice(name);
    const attributes = { even: 'boolean' };
    const batch = { data, attributes: { even: Array.from({ length: 100 }, (_, i) => i % 2 === 0) } };
    const rows = await again(() => device.upload(batch, { dim: 4, metric: 'ip', dtype: 'f32', attributes }));
    const answers = [];
    if (rows) {
      const query = data.subarray(0, 4);
      const best = (options) => again(async () => Array.from((await rows.search(query, options)).ids));
      await again(() => rows.append(batch));
      answers.push(await best({ k: 5 }));
      await again(() => rows.remove([answers[0]?.[0] ?? 0]));
      answers.push(await best({ k: 50, filter: { where: { eq: ['even', true] } } }));
      await again(() => rows.compact());
      answers.push(await best({ k: 5 }));
      answers.push(await again(async () => Array.from(await rows.rescore(query, { queries: new Uint32Array(2), rows: Uint32Array.of(7, 8) }))));
    }
    await device.close();
    return answers;
  };
  const cuda = await use('cuda');
  const lost = await openDevice('cuda').then(() => '', ({ code, message }) => code + ' ' + message);
  const cudaFailures = failures.splice(0);
  const cpu = await use('reference');
  console.log(JSON.stringify({ cuda, cudaFailures, lost, cpu, failures }));
`;

/** What a process finds in which the call of the CUDA runtime with a number fails, or breaks the device. */
async function callWith(fault: string) {
  const env = { ...process.env, SEINE_ADDON: emulatedAddon, SEINE_EMULATED_FAULT: fault };
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', CALLS], { cwd: root, env });
  return JSON.parse(stdout) as Record<'cuda' | 'cpu', unknown[]> &
    Record<'cudaFailures' | 'failures', string[]> & { lost: string };
}

/** What a process with the emulated addon finds; `machine` names one that must be refused. */
async function probe(machine: string) {
  const env = { ...process.env, SEINE_ADDON: emulatedAddon, SEINE_EMULATED_CUDA: machine };
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
    [
      'old-gpu',
      'the GPU is too old: compute capability 8.0 or newer is needed, found cuda (emulated) (7.5), cuda (emulated) (7.5)',
    ],
  ])('is refused on a machine with %s', async (machine, reason) => {
    const { cuda, opened } = await probe(machine);
    expect(cuda).toMatchObject({ available: false, reason, chosen: false });
    expect(opened).toBe(`cuda was asked for, but ${reason}.`);
  });

  test.each([0, 3, 9, 20, 40, 70, 100, 140, 180])('works again after call %i failed', async (call) => {
    const { cuda, cudaFailures, lost, cpu, failures } = await callWith(`${call}`);
    expect(cudaFailures.length).toBeLessThanOrEqual(1);
    for (const line of cudaFailures)
      expect(line).toMatch(/^(ERR_DEVICE CUDA device 0 failed at|ERR_OUT_OF_MEMORY) /);
    expect({ cuda, lost, failures }).toEqual({ cuda: cpu, lost: '', failures: [] });
  });

  test.each([0, 20, 60, 110, 150])(
    'says that it was lost from call %i on, and others go on',
    async (call) => {
      const { cudaFailures, lost, cpu, failures } = await callWith(`lost:${call}`);
      expect(lost).toMatch(
        /^ERR_DEVICE_LOST CUDA device 0 was lost at .*\(cudaErrorLaunchFailure\)\. Nothing runs on it until the process is started anew; other devices can be opened meanwhile\.$/,
      );
      expect(new Set(cudaFailures)).toEqual(new Set([lost]));
      expect(failures).toEqual([]);
      expect(cpu).toHaveLength(4);
    },
  );

  test('several GPUs are one device, and one that is not there is told', async () => {
    const addon = loadAddon(emulatedAddon);
    const { description } = await openCuda(addon, { devices: [1, 0] });
    expect(description).toBe(Array(2).fill('cuda (emulated), compute capability 9.0, 1024 MiB').join('; '));
    await expect(openCuda(addon, { devices: [0, 2] })).rejects.toMatchObject({
      code: 'ERR_DEVICE_UNAVAILABLE',
      message:
        'cuda was asked for, but CUDA device 2 is not there: the driver shows 2, counted from 0; check CUDA_VISIBLE_DEVICES.',
    });
  });

  test('the emulation finds misuse, and the host code keeps its promises', async () => {
    // A process for each call that fails: some of them, drawn, unless all cases are wanted.
    const drawn = EFFORT > 1 ? [] : ['4', String(SEED)];
    const { stdout } = await run(join(dirname(emulatedAddon), 'emulatedCudaTest'), drawn);
    expect(stdout.match(/^ok: /gm)?.length).toBeGreaterThan(25);
    expect(stdout).not.toContain('FAILED');
  }, 1_200_000);
});
