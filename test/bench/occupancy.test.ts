import { expect, test } from '@jest/globals';
import { GPUS, occupancy } from '../../bench/roofline/gpus.ts';

const [a100, h100] = [GPUS[0]!, GPUS[1]!];

// By hand, from the table of technical specifications in the CUDA programming guide.
test.each([
  [a100, 256, 128, 0, { blocks: 2, occupancy: 0.25, limit: 'registers' }],
  [a100, 256, 32, 0, { blocks: 8, occupancy: 1, limit: 'registers' }],
  [a100, 256, 24, 0, { blocks: 8, occupancy: 1, limit: 'warps' }],
  [a100, 256, 62, 32_768, { blocks: 4, occupancy: 0.5, limit: 'registers' }],
  [a100, 256, 40, 65_536, { blocks: 2, occupancy: 0.25, limit: 'shared memory' }],
  [h100, 256, 40, 65_536, { blocks: 3, occupancy: 0.375, limit: 'shared memory' }],
  [h100, 32, 32, 0, { blocks: 32, occupancy: 0.5, limit: 'blocks' }],
])('blocks of a multiprocessor, case %#', (gpu, threads, registers, shared, expected) => {
  expect(occupancy(gpu, threads, registers, shared)).toEqual(expected);
});
