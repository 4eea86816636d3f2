import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

function nvccVersion(): string | undefined {
  try {
    return /release (\d+)/.exec(execFileSync('nvcc', ['--version'], { encoding: 'utf8' }))?.[1];
  } catch {
    return undefined;
  }
}

const version = nvccVersion();
const there = Number(version) >= 12;
if (!there) {
  console.warn(
    `scan.cu is not compiled here: nvcc 12 or newer is needed, found ${version ?? 'none on the PATH'}.`,
  );
}

const flags = '-std=c++17 -O3 -Werror all-warnings -Xcompiler -Wall,-Wextra -Xptxas -v -c kernels/scan.cu';

(there ? test : test.skip).each([
  ['sm_80', 'arch=compute_80,code=sm_80'],
  ['sm_90a', 'arch=compute_90a,code=sm_90a'],
])(
  'the kernels compile for %s without warnings and fit into registers',
  async (_, target) => {
    const folder = mkdtempSync(join(tmpdir(), 'seine-nvcc-'));
    try {
      const args = [...flags.split(' '), '-gencode', target, '-o', join(folder, 'scan.o')];
      const { stderr } = await run('nvcc', args, { cwd: root });
      const kernels = [...stderr.matchAll(/Compiling entry function '(\w+)'/g)];
      const spills = [...stderr.matchAll(/(\d+) bytes spill stores, (\d+) bytes spill loads/g)];
      const registers = [...stderr.matchAll(/Used (\d+) registers/g)].map((match) => Number(match[1]));
      // 2 metrics × 2 lengths of rows × 3 numbers of queries, and 4 more.
      expect(new Set(kernels.map((match) => match[1])).size).toBe(16);
      expect(registers).toHaveLength(16);
      expect(spills).toHaveLength(16);
      for (const [, stores, loads] of spills) expect([stores, loads]).toEqual(['0', '0']);
      // Two blocks of 256 threads a multiprocessor, so that one computes while the other waits for memory.
      expect(Math.max(...registers)).toBeLessThanOrEqual(128);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
  300_000,
);
