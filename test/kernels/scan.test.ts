import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

const has = (...commands: string[]) =>
  commands.every((command) => spawnSync(command, ['--version']).status === 0);

/** Builds a program of the tests, in a folder that is kept, and returns its path. */
async function build(name: string, settings: string[], target = 'scanTest'): Promise<string> {
  const folder = `${root}/build/${name}`;
  const cache = ['-DSEINE_TESTS=ON', '-DSEINE_CUDA=OFF', '-DCMAKE_BUILD_TYPE=Release', ...settings];
  await run('cmake', ['-S', root, '-B', folder, ...cache]);
  await run('cmake', ['--build', folder, '--target', target]);
  return `${folder}/${target}`;
}

const here = has('cmake', 'c++');
if (!here) console.warn('The scan is not compared with canonical scores: cmake or c++ is missing.');
(here ? test : test.skip)(
  'the scan of every level of this processor stays within its bounds',
  async () => {
    const { stdout } = await run(await build('scanTest', []));
    expect(stdout).toMatch(/^scalar: \d{5,} checks$/m);
    expect(stdout).not.toContain('FAILED');
  },
  300_000,
);

(here && process.arch === 'x64' ? test : test.skip)(
  'levels of AVX-512 multiply codes exactly, with imitated instructions',
  async () => {
    const { stdout } = await run(await build('scanTest', [], 'dotTest'));
    for (const level of ['avx512vnni', 'avx512']) {
      expect(stdout).toMatch(new RegExp(`^${level}: \\d{6} products$`, 'm'));
    }
  },
  300_000,
);

const NEON = [
  '-DCMAKE_SYSTEM_NAME=Linux',
  '-DCMAKE_SYSTEM_PROCESSOR=aarch64',
  '-DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++',
  '-DCMAKE_EXE_LINKER_FLAGS=-static',
];
const imitated = has('cmake', 'qemu-aarch64', 'aarch64-linux-gnu-g++');
if (!imitated) console.warn('NEON is not tested: cmake, qemu-aarch64 or aarch64-linux-gnu-g++ is missing.');
(imitated ? test : test.skip)(
  'so does the scan with NEON, on an imitated processor',
  async () => {
    const { stdout } = await run('qemu-aarch64', [await build('scanTest-neon', NEON)]);
    expect(stdout).toMatch(/^neon: \d{5,} checks$/m);
    expect(stdout).not.toContain('FAILED');
  },
  300_000,
);
