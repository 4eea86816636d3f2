import type { BackendDevice, TokenRows, UploadOptions } from '../device.ts';
import type { DeviceProvider } from '../deviceProvider.ts';
import { countRows, storedBytes } from '../storedRows.ts';
import { maxsim, maxsimPairs } from './maxsim.ts';
import { merge } from './merge.ts';
import { readRows } from './readRows.ts';
import { rescore } from './rescore.ts';
import { type Chunk, scan } from './scan.ts';
import { select } from './select.ts';

/** Plain TypeScript in float64: always there, slow, and what the others are tested against. */
export const provider: DeviceProvider = {
  name: 'reference',
  probe: async () => ({
    available: true,
    reason: 'plain TypeScript in float64: always there',
    software: true,
    details: { node: process.version },
  }),
  open: async () => device,
};

const device: BackendDevice = {
  name: 'reference',
  description: `plain TypeScript in float64, 1 thread, Node ${process.version}`,
  createRows: async (options) => createRows(options),
  select,
  merge,
  close: async () => {},
};

function createRows(options: UploadOptions): TokenRows {
  const { dim, metric, dtype, features = 0 } = options;
  const chunks: Chunk[] = [];
  let count = 0;
  return {
    get bytes() {
      return count * (storedBytes(dtype, dim) + 4 * features);
    },
    append: async (batch) => {
      chunks.push({ first: count, ...batch });
      count += countRows(batch.rows, dim);
    },
    read: (ids) => readRows(chunks, options, ids),
    search: (task) => scan(chunks, dim, metric, task),
    rescore: (task) => rescore(chunks, dim, metric, task),
    maxsim: {
      search: (task) => maxsim(chunks, dim, task),
      rescore: (task) => maxsimPairs(chunks, dim, task),
    },
    dispose: async () => {
      chunks.length = 0;
      count = 0;
    },
  };
}
