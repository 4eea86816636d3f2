/** Mutants of the WebGPU device in listed rows, select, merge and rescore. */
const kernel = 'kernels/scan.wgsl';
const lists = ['test/device/scanRows.test.ts'];
const selects = ['test/device/select.test.ts'];
const merges = ['test/device/merge.test.ts'];
const merge = 'kernels/merge.wgsl';
const rescores = ['test/device/webgpuRescore.test.ts', 'test/device/rescore.test.ts'];
const rescore = 'kernels/rescore.wgsl';

export const wgslLists = [
  {
    name: 'float64 ties are rounded up',
    file: rescore,
    find: 'rest == 0x400u && (kept.y & 1u) == 1u',
    replace: 'rest == 0x400u',
    suites: rescores,
  },
  {
    name: 'float64 is cut off',
    file: rescore,
    find: 'if (rest > 0x400u || (rest == 0x400u && (kept.y & 1u) == 1u)) {',
    replace: 'if (false) {',
    suites: rescores,
  },
  {
    name: 'the carry of a float64 rounding is lost',
    file: rescore,
    find: 'if (kept.y == 0u) { kept.x++; }',
    replace: '',
    suites: rescores,
  },
  {
    name: 'bits that a sum drops are forgotten',
    file: rescore,
    find: 'return vec2u(value.x >> by, (value.y >> by) | (value.x << (32u - by)) | select(0u, 1u, lost));',
    replace: 'return vec2u(value.x >> by, (value.y >> by) | (value.x << (32u - by)));',
    suites: rescores,
  },
  {
    name: 'bits that a product drops are forgotten',
    file: rescore,
    find: 'low | select(0u, 1u, lost));\n}\n\nfn bitsOf',
    replace: 'low);\n}\n\nfn bitsOf',
    suites: rescores,
  },
  {
    name: 'the carry of a sum of words is lost',
    file: rescore,
    find: 'larger.x + smaller.x + select(0u, 1u, low < larger.y)',
    replace: 'larger.x + smaller.x',
    suites: rescores,
  },
  {
    name: 'the borrow of a difference of words is lost',
    file: rescore,
    find: 'larger.x - smaller.x - select(0u, 1u, larger.y < smaller.y)',
    replace: 'larger.x - smaller.x',
    suites: rescores,
  },
  {
    name: 'the carry of a product of words is lost',
    file: rescore,
    find: 'select(0u, 1u, sum < left.y) + select(0u, 1u, word1 < right.y)',
    replace: 'select(0u, 1u, sum < left.y)',
    suites: rescores,
  },
  {
    name: 'operands of one exponent are not put in order',
    file: rescore,
    find: 'x.exponent < y.exponent || (sameExponent &&',
    replace: 'x.exponent < y.exponent || (false && sameExponent &&',
    suites: rescores,
  },
  {
    name: 'codes are rounded to more than 24 bits',
    file: rescore,
    find: 'let drop = u32(max(0, 8 -',
    replace: 'let drop = u32(max(0, 7 -',
    suites: rescores,
  },
  {
    name: 'subnormal float32 are read as normal',
    file: rescore,
    find: 'let value = (bits & 0x7fffffu) | select(0u, 0x800000u, biased > 0u);\n  return fromInteger((bits',
    replace: 'let value = (bits & 0x7fffffu) | 0x800000u;\n  return fromInteger((bits',
    suites: rescores,
  },
  {
    name: 'rows rescored are those of another shard',
    file: 'ts/device/webgpuRescore.ts',
    find: 'const row = pairs.rows[place]! - shard.first;',
    replace: 'const row = pairs.rows[place]! > 0 ? 0 : shard.first - shard.first;',
    suites: rescores,
  },
  {
    name: 'the highest scores are the lowest',
    file: 'ts/device/webgpuSelect.ts',
    find: '(lowest ? score : -score)',
    replace: '(lowest ? -score : score)',
    suites: selects,
  },
  {
    name: 'scores of another query are ordered',
    file: 'ts/device/webgpuSelect.ts',
    find: 'const own = part.subarray(query * n, (query + 1) * n);',
    replace: 'const own = part.subarray(0, n);',
    suites: selects,
  },
  {
    name: 'ties that there is no room for are forgotten',
    file: 'ts/device/webgpuSelect.ts',
    find: 'if (total > capacity) {',
    replace: 'if (total > 1e9) {',
    suites: selects,
  },
  {
    name: 'equal entries of two lists take one place',
    file: merge,
    find: 'countBefore(other, key, other < list)',
    replace: 'countBefore(other, key, false)',
    suites: merges,
  },
  {
    name: 'an entry counts itself',
    file: merge,
    find: 'if (other != list) { rank',
    replace: 'if (true) { rank',
    suites: merges,
  },
  {
    name: 'the list before an empty one has its entries',
    file: merge,
    find: 'if (starts[middle] <= entry)',
    replace: 'if (starts[middle] < entry)',
    suites: merges,
  },
  {
    name: 'the last place is not filled',
    file: merge,
    find: 'if (rank < params.k) { best',
    replace: 'if (rank + 1u < params.k) { best',
    suites: merges,
  },
  {
    name: 'merged scores are in the order of their bits',
    file: merge,
    find: 'select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u)',
    replace: 'bits',
    suites: merges,
  },
  {
    name: 'entries of equal score are not told apart by id',
    file: merge,
    find: 'a.x < b.x || (a.x == b.x && a.y < b.y)',
    replace: 'a.x < b.x',
    suites: merges,
  },
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
    find: '  let row = rowOf(slot);\n  let bound',
    replace: '  let row = slot;\n  let bound',
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
];
