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
/** Queries of a tile and of a pass over the codes, `kCodeTile` and `kCodeQueries` of the kernels; a larger batch takes several passes. */
const [TILE, PASS] = [8, 32];
const BATCHES = [1, 8, 64];
/** Documents and queries of the size that ColBERT has them, in float16. */
const LATE = { tokens: 120, queryTokens: 32, dim: 128 };
const DOCUMENTS = [1e5, 1e6];
/** Tokens of queries that pass over the documents together: `kTokenTile` of the kernels. */
const TOKEN_TILE = 64;

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
  maxsim: GPUS.flatMap((gpu) =>
    DOCUMENTS.flatMap((documents) =>
      BATCHES.map((batch) => ({
        gpu: gpu.name,
        documents,
        ...LATE,
        batch,
        ...maxsim(gpu, documents, batch),
      })),
    ),
  ),
};
keepResult('roofline', result);
if (process.argv.includes('--json')) console.log(JSON.stringify(result, null, 2));

/** The passes over all codes, as kernels/README.md counts them: dim + 12 bytes a row, and a sample of it twice. */
function certified(gpu: Gpu, rows: number, batch: number) {
  let [bytes, operations] = [0, 0];
  for (let left = batch; left > 0; left -= PASS) {
    const queries = Math.min(left, PASS);
    bytes += rows * (DIM + 12) * (1 + 1 / (batch > TILE ? 128 : 64));
    // The second operand of a product always has room for a tile of queries; there are 1, 2 or 4 of them.
    const tiles = 2 ** Math.ceil(Math.log2(Math.ceil(queries / TILE)));
    operations += 2 * tiles * TILE * rows * DIM;
  }
  return best(batch, bytes / gpu.bytesPerSecond, operations / gpu.int8PerSecond);
}

/** All launches of a search, as kernels/README.md counts them: tokens once for each tile of queries' tokens. */
function maxsim(gpu: Gpu, documents: number, batch: number) {
  const { tokens, queryTokens, dim } = LATE;
  const asked = batch * queryTokens;
  const read = Math.ceil(asked / TOKEN_TILE) * tokens * (2 * dim + 4);
  const bytes = documents * (read + 8 * asked + 28 * batch);
  return best(
    batch,
    bytes / gpu.bytesPerSecond,
    (2 * documents * tokens * asked * dim) / gpu.float32PerSecond,
  );
}

/** What a batch takes that needs so many seconds for its bytes and for its products. */
function best(batch: number, memory: number, products: number) {
  return {
    bound: memory > products ? ('memory' as const) : ('products' as const),
    ms: rounded(Math.max(memory, products) * 1000),
    queriesPerSecond: rounded(batch / Math.max(memory, products)),
  };
}
