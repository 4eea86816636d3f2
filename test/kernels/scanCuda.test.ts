import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import {
  ARCHITECTURES,
  compileKernels,
  type KernelRow,
  nvccVersion,
  PTXAS_TABLE,
} from '../../scripts/ptxas.mjs';

const table = JSON.parse(readFileSync(PTXAS_TABLE, 'utf8')) as { nvcc: string; kernels: KernelRow[] };
const version = nvccVersion();
const there = Number.parseInt(version ?? '0', 10) >= 12;
if (!there) {
  console.warn(
    `The CUDA kernels are not compiled here: nvcc 12 or newer is needed, found ${version ?? 'none on the PATH'}.`,
  );
}

(there ? test : test.skip).each(ARCHITECTURES)(
  'the kernels compile for %s without warnings, and take the registers and the memory of the table',
  async (arch) => {
    const rows = await compileKernels(arch);
    const expected = table.kernels.filter((row) => row.arch === arch);
    expect(rows.map(({ kernel }) => kernel)).toEqual(expected.map(({ kernel }) => kernel));
    expect(rows.filter(({ spills }) => spills !== 0)).toEqual([]);
    // Two blocks of 256 threads a multiprocessor, so that one computes while the other waits for memory.
    expect(rows.filter(({ registers }) => registers > 128)).toEqual([]);
    if (version === table.nvcc)
      expect(rows).toEqual(expected); // `node scripts/ptxas.mjs` writes it anew
    else
      console.warn(
        `The table of ptxas is nvcc ${table.nvcc}'s, this is ${version}: only bounds are checked.`,
      );
  },
  300_000,
);
