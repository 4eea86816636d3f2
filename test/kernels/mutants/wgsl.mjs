/** Mutants of the WebGPU device. */
const kernel = 'kernels/scan.wgsl';
const answers = ['webgpuSearch', 'adversarial', 'matrix'].map((name) => `test/device/${name}.test.ts`);
const bounds = ['test/device/webgpu.test.ts', ...answers];
const host = [
  'test/device/mutations.test.ts',
  'test/device/matrix.test.ts',
  'test/device/adversarial.test.ts',
];

const lists = ['test/device/scanRows.test.ts'];

export const wgsl = [
  {
    name: 'one query scores the slot for the listed row',
    file: kernel,
    find: 'let row = rowOf(slot);\n      let factor = factorOf(row);\n      var at = startOf(row);\n      var part = query',
    replace:
      'let row = slot;\n      let factor = factorOf(row);\n      var at = startOf(row);\n      var part = query',
    suites: lists,
  },
  {
    name: 'bounds are those of the slot',
    file: kernel,
    find: '  let row = rowOf(slot);\n  if (facts[row].x >= bounds[query].w) { return 0u; }',
    replace: '  let row = slot;\n  if (facts[row].x >= bounds[query].w) { return 0u; }',
    suites: lists,
  },
  {
    name: 'listed rows are counted from row 0 of all shards',
    file: 'ts/device/webgpuSearch.ts',
    find: '(row) => row - first)',
    replace: '(row) => row)',
    suites: lists,
  },
  {
    name: "a shard's last listed row is left to the next",
    file: 'ts/device/webgpuSearch.ts',
    find: 'lowerBound(rows, end));',
    replace: 'lowerBound(rows, end - 1));',
    suites: lists,
  },
  {
    name: 'bins are not cleared behind a barrier',
    file: kernel,
    find: 'atomicStore(&bins[thread], 0u);\n  workgroupBarrier();',
    replace: 'atomicStore(&bins[thread], 0u);',
    suites: answers,
  },
  {
    name: 'bins are added up before all rows are in them',
    file: kernel,
    find: '  workgroupBarrier();\n  let total = atomicLoad(&bins[thread]);',
    replace: '  let total = atomicLoad(&bins[thread]);',
    suites: answers,
  },
  {
    name: 'the digit is picked before the bins are there',
    file: kernel,
    find: '  workgroupBarrier();\n  if (thread == 0u) {',
    replace: '  if (thread == 0u) {',
    suites: answers,
  },
  {
    name: 'candidates are not counted atomically',
    file: kernel,
    find: 'let place = atomicAdd(&candidates[query], 1u);',
    replace:
      'let place = atomicLoad(&candidates[query]);\n      atomicStore(&candidates[query], place + 1u);',
    suites: answers,
  },
  {
    name: 'the shift of a digit is wrong',
    file: kernel,
    find: 'let shift = 24u - 8u * level;',
    replace: 'let shift = 24u - 7u * level;',
    suites: answers,
  },
  {
    name: 'the known digits are compared with the wrong ones',
    file: kernel,
    find: '((key >> shift) >> 8u) == prefix',
    replace: '((key >> shift) >> 8u) >= prefix',
    suites: answers,
  },
  {
    name: 'the wanted rank is looked for one bin late',
    file: kernel,
    find: 'if (wanted <= total) { break; }',
    replace: 'if (wanted < total) { break; }',
    suites: answers,
  },
  {
    name: 'the rank is not counted from its bin on',
    file: kernel,
    find: '      wanted -= total;\n',
    replace: '',
    suites: answers,
  },
  {
    name: 'the last query of a tile is dropped',
    file: kernel,
    find: 'min(TILE, params.queries - first)',
    replace: 'min(TILE - 1u, params.queries - first)',
    suites: answers,
  },
  {
    name: 'eight queries read the rows of other lanes',
    file: kernel,
    find: '          part++;\n        }\n        at += BLOCK;\n      }\n      for',
    replace: '          part++;\n        }\n        at += BLOCK - 1u;\n      }\n      for',
    suites: answers,
  },
  {
    name: 'keys of positive costs are below those of negative ones',
    file: kernel,
    find: 'select(bits | 0x80000000u, ~bits',
    replace: 'select(bits, ~bits',
    suites: answers,
  },
  {
    name: 'a bit of the mask is taken for another',
    file: kernel,
    find: '(passing[slot >> 5u] >> (slot & 31u))',
    replace: '(passing[slot >> 5u] >> (slot & 15u))',
    suites: answers,
  },
  {
    name: 'the best cost of a row is its worst',
    file: kernel,
    find: 'ordered(cost - errorOf(query, row, cost))',
    replace: 'ordered(cost + errorOf(query, row, cost))',
    suites: answers,
  },
  {
    name: 'rows of extreme length are decided',
    file: kernel,
    find: 'if (facts[row].x >= bounds[query].w) { return 0u; }',
    replace: '',
    suites: answers,
  },
  {
    name: 'ids of a shard are counted from 0',
    file: kernel,
    find: 'params.first + rowOf(slot));',
    replace: 'rowOf(slot));',
    suites: answers,
  },
  {
    name: 'the bound is halved',
    file: 'ts/device/webgpuBounds.ts',
    find: 'const relative = ((n * U) / (1 - n * U)) * UP;',
    replace: 'const relative = (((n / 2) * U) / (1 - n * U)) * UP;',
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
    find: '    encoder.clearBuffer(selections, 0, bytes.selections);\n',
    replace: '',
    suites: host,
  },
  {
    name: "a shard's rows are masked by another's bits",
    file: 'ts/device/webgpuSearch.ts',
    find: 'allowed.subarray(first / 32, first / 32 + wordsFor(slots))',
    replace: 'allowed.subarray(0, wordsFor(slots))',
    suites: host,
  },
  {
    name: 'candidates that there is no room for are forgotten',
    file: 'ts/device/webgpuRows.ts',
    find: 'if (total > found.capacity) {',
    replace: 'if (total > 2 * found.capacity) {',
    suites: answers,
  },
];
