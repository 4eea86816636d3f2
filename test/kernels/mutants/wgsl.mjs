/** Mutants of the WebGPU device. */
const kernel = 'kernels/scan.wgsl';
const grid = 'kernels/scanGrid.wgsl';
const select = 'kernels/select.wgsl';
const answers = ['webgpuSearch', 'adversarial', 'matrix'].map((name) => `test/device/${name}.test.ts`);
const bounds = ['test/device/webgpu.test.ts', ...answers];
const host = [
  'test/device/mutations.test.ts',
  'test/device/matrix.test.ts',
  'test/device/adversarial.test.ts',
];

export const wgsl = [
  {
    name: 'bins are not cleared behind a barrier',
    file: select,
    find: '  atomicStore(&bins[thread], 0u);\n  workgroupBarrier();\n  for',
    replace: '  atomicStore(&bins[thread], 0u);\n  for',
    suites: answers,
  },
  {
    name: 'bins are added up before all rows are in them',
    file: select,
    find: '  workgroupBarrier();\n  let total = atomicLoad(&bins[thread]);',
    replace: '  let total = atomicLoad(&bins[thread]);',
    suites: answers,
  },
  {
    name: 'the digit is picked before the bins are there',
    file: select,
    find: '  workgroupBarrier();\n  if (thread == 0u) {\n    let wanted',
    replace: '  if (thread == 0u) {\n    let wanted',
    suites: answers,
  },
  {
    name: 'candidates are not counted atomically',
    file: select,
    find: '{ first = atomicAdd(&candidates[query], named); }',
    replace: '{ first = atomicLoad(&candidates[query]);\n  atomicStore(&candidates[query], first + named); }',
    suites: answers,
  },
  {
    name: 'the shift of a digit is wrong',
    file: select,
    find: '(key >> (24u - 8u * level)) & 255u',
    replace: '(key >> (24u - 7u * level)) & 255u',
    suites: answers,
  },
  {
    name: 'the known digits are compared with the wrong ones',
    file: select,
    find: '((key >> (24u - 8u * level)) >> 8u) == prefix',
    replace: '((key >> (24u - 8u * level)) >> 8u) >= prefix',
    suites: answers,
  },
  {
    name: 'the wanted rank is looked for one bin late',
    file: select,
    find: 'if (wanted <= total) { break; }',
    replace: 'if (wanted < total) { break; }',
    suites: answers,
  },
  {
    name: 'the rank is not counted from its bin on',
    file: select,
    find: '    wanted -= total;\n',
    replace: '',
    suites: answers,
  },
  {
    name: 'the last query of a tile is dropped',
    file: grid,
    find: 'min(TILE, params.queries - first)',
    replace: 'min(max(TILE, 2u) - 1u, params.queries - first)',
    suites: answers,
  },
  {
    name: 'eight queries read the rows of other lanes',
    file: grid,
    find: 'at += BLOCK;',
    replace: 'at += BLOCK - (TILE / 8u);',
    suites: answers,
  },
  {
    name: 'keys of positive costs are below those of negative ones',
    file: grid,
    find: 'select(bits | 0x80000000u, ~bits',
    replace: 'select(bits, ~bits',
    suites: answers,
  },
  {
    name: 'a bit of the mask is taken for another',
    file: grid,
    find: '(passing[slot / 32u] >> (slot % 32u))',
    replace: '(passing[slot / 32u] >> (slot % 16u))',
    suites: ['test/device/matrix.test.ts'],
  },
  {
    name: 'the best cost of a row is its worst',
    file: kernel,
    find: 'ordered(cost - error)',
    replace: 'ordered(cost + error)',
    suites: answers,
  },
  {
    name: 'rows of extreme length are decided',
    file: kernel,
    find: 'var undecided = fact.x >= bound.w;',
    replace: 'var undecided = false;',
    suites: answers,
  },
  {
    name: 'ids of a shard are counted from 0',
    file: select,
    find: 'name(query, params.first + slot, reaches)',
    replace: 'name(query, slot, reaches)',
    suites: answers,
  },
  {
    name: 'the bound is halved',
    file: 'ts/device/webgpuBounds.ts',
    find: '((n * U) / (1 - n * U)) * UP;',
    replace: '(((n / 2) * U) / (1 - n * U)) * UP;',
    suites: bounds,
  },
  {
    name: 'products that overflow are decided',
    file: 'ts/device/webgpuBounds.ts',
    find: '2 ** 126 / Math.max(length, TINY)',
    replace: '2 ** 140 / Math.max(length, TINY)',
    suites: bounds,
  },
  {
    name: 'an append begins in the middle of a block',
    file: 'ts/device/webgpuShard.ts',
    find: 'let from = start - (start % BLOCK); from < end',
    replace: 'let from = start; from < end',
    suites: host,
  },
  {
    name: 'a selection is left from the search before',
    file: 'ts/device/webgpuSearch.ts',
    find: '    encoder.clearBuffer(buffers.selections, 0, q * SELECTION_BYTES);\n',
    replace: '',
    suites: host,
  },
  {
    name: "a shard's rows are masked by another's bits",
    file: 'ts/device/webgpuPlan.ts',
    find: 'allowed.subarray(first / 32, first / 32 + wordsFor(slots))',
    replace: 'allowed.subarray(0, wordsFor(slots))',
    suites: host,
  },
  {
    name: 'candidates that there is no room for are forgotten',
    file: 'ts/device/webgpuRows.ts',
    find: 'if (total > way.capacity) {',
    replace: 'if (total > 2 * way.capacity) {',
    suites: answers,
  },
];
