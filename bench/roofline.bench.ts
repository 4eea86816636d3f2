// A model of what the CUDA kernels can reach, from ptxas figures and data sheets. It measures nothing.
// npm run bench -- roofline [--json]
import { readFileSync } from 'node:fs';
import { keepResult, origin } from './measure/resultFile.ts';
import { rounded } from './measure/summary.ts';
import type { RooflineResult } from './report/results.ts';
import { GPUS, type Gpu, occupancy } from './roofline/gpus.ts';

interface Compiled {
  kernel: string;
  arch: string;
  registers: number;
  shared: number;
  spills: number;
}

/** Threads of a block: `kThreads` of the kernels, one warp for `pickDigit`. */
const THREADS = 256;
const DIM = 384;
const ROWS = [1e6, 1e7, 1e8];
/** Queries of a pass over the codes; a larger batch takes several. */
const PASS = 8;
const BATCHES = [1, 8, 64];

const { nvcc, kernels } = JSON.parse(readFileSync('test/kernels/ptxas.json', 'utf8')) as {
  nvcc: string;
  kernels: Compiled[];
};
const result: RooflineResult = {
  ...origin('roofline', { nvcc }),
  note:
    'A model, not a measurement: no kernel has run on this hardware. Occupancy from registers and shared memory by ' +
    'ptxas; milliseconds are the greater of bytes by memory bandwidth and operations by peak, both from data sheets.',
  gpus: GPUS,
  occupancy: kernels.flatMap(({ kernel, arch, registers, shared, spills }) =>
    GPUS.filter((gpu) => gpu.arch === arch).map((gpu) => ({
      kernel,
      gpu: gpu.name,
      registers,
      shared,
      spills,
      ...occupancy(gpu, kernel.startsWith('pickDigit') ? 32 : THREADS, registers, shared),
    })),
  ),
  certified: GPUS.flatMap((gpu) =>
    ROWS.flatMap((rows) =>
      BATCHES.map((batch) => ({ gpu: gpu.name, rows, dim: DIM, batch, ...certified(gpu, rows, batch) })),
    ),
  ),
};
keepResult('roofline', result);
if (process.argv.includes('--json')) console.log(JSON.stringify(result, null, 2));

/** The pass over all codes, as kernels/README.md counts it: dim + 12 bytes a row, and one in 64 twice. */
function certified(gpu: Gpu, rows: number, batch: number) {
  const passes = Math.ceil(batch / PASS);
  const bytes = passes * rows * (DIM + 12) * (1 + 1 / 64);
  // The second operand of a product always has room for eight queries.
  const operations = passes * 2 * PASS * rows * DIM;
  const memory = bytes / gpu.bytesPerSecond;
  const compute = operations / gpu.int8PerSecond;
  return {
    bound: memory > compute ? ('memory' as const) : ('products' as const),
    ms: rounded(Math.max(memory, compute) * 1000),
    queriesPerSecond: rounded(batch / Math.max(memory, compute)),
  };
}
