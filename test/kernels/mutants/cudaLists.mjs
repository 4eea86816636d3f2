/** Mutants of the CUDA device in listed rows, select, merge and rescore. */
const kernel = 'kernels/scan.cu';
const select = 'kernels/scanSelect.cu';
const lists = ['test/device/scanRows.test.ts'];
const selects = ['test/device/select.test.ts'];
const merges = ['test/device/merge.test.ts'];
const merge = 'kernels/merge.cu';
const rescores = ['test/device/rescore.test.ts'];
const rescore = 'kernels/rescore.cu';

export const cudaLists = [
  {
    name: 'differences are rounded to float32',
    file: rescore,
    find: 'const double difference = __dsub_rn(q, x);',
    replace: 'const double difference = q - x;',
    suites: rescores,
  },
  {
    name: 'rescored numbers are added in another order',
    file: rescore,
    find: '    add(q.x, x.x);\n    add(q.y, x.y);',
    replace: '    add(q.y, x.y);\n    add(q.x, x.x);',
    suites: rescores,
  },
  {
    name: 'the last chunk of a row is not rescored',
    file: rescore,
    find: 'for (size_t chunk = 0; chunk < chunks; chunk++)',
    replace: 'for (size_t chunk = 0; chunk + 1 < chunks; chunk++)',
    suites: rescores,
  },
  {
    name: 'a rescored row is counted from row 0 of all slabs',
    file: rescore,
    find: 'const size_t row = id - slab.first;',
    replace: 'const size_t row = slab.first == 0 ? id : 0;',
    suites: rescores,
  },
  {
    name: 'pairs are scored with the first query',
    file: rescore,
    find: 'queries + rescoring.pairQueries[pair] * chunks * Form::kParts',
    replace: 'queries + 0 * rescoring.pairQueries[pair]',
    suites: rescores,
  },
  {
    name: 'a rescored score is -0',
    file: rescore,
    find: '= rounded == 0 ? 0.0f : rounded;',
    replace: '= rounded;',
    suites: rescores,
  },
  {
    name: 'the lowest scores are the highest',
    file: 'native/cudaScores.cpp',
    find: 'for (float& score : scores) score = -score;',
    replace: '',
    suites: selects,
  },
  {
    name: 'selected places are taken for columns',
    file: 'native/cudaScores.cpp',
    find: 'ids[slot] = found[i][ids[slot]];',
    replace: '',
    suites: selects,
  },
  {
    name: 'the later passes of a selection select as the first',
    file: 'native/cudaScores.cpp',
    find: 'scores.assign(given.data + first * task.n,',
    replace: 'scores.assign(given.data + 0 * task.n,',
    suites: selects,
  },
  {
    name: 'equal entries of two lists take one place',
    file: merge,
    find: 'rank += countBefore(merging, other, key, other < list)',
    replace: 'rank += countBefore(merging, other, key, false)',
    suites: merges,
  },
  {
    name: 'an entry counts itself',
    file: merge,
    find: 'if (other != list) rank +=',
    replace: 'rank +=',
    suites: merges,
  },
  {
    name: 'the list before an empty one has its entries',
    file: merge,
    find: 'if (merging.starts[middle] <= entry)',
    replace: 'if (merging.starts[middle] < entry)',
    suites: merges,
  },
  {
    name: 'the last place is not filled',
    file: merge,
    find: 'if (rank >= merging.k) continue;',
    replace: 'if (rank + 1 >= merging.k) continue;',
    suites: merges,
  },
  {
    name: 'merged scores are in the order of their bits',
    file: 'kernels/scanKeys.cuh',
    find: '? bits : ~bits & 0x7fffffffu',
    replace: '? ~bits : ~bits & 0x7fffffffu',
    suites: merges,
  },
  {
    name: 'lists of lowest scores are merged as if the highest were best',
    file: merge,
    find: 'merging.lowest ? ~falling : falling',
    replace: 'falling',
    suites: merges,
  },
  {
    name: 'the slot is scored for the listed row',
    file: kernel,
    find: 'rowOf(slab, static_cast<uint32_t>(first + r))',
    replace: 'static_cast<uint32_t>(first + r)',
    suites: lists,
  },
  {
    name: 'bounds take the weight of the slot',
    file: select,
    find: 'const size_t row = rowOf(slab, static_cast<uint32_t>(slot));',
    replace: 'const size_t row = slot;',
    suites: lists,
  },
  {
    name: 'listed rows are counted from row 0 of all slabs',
    file: 'native/cudaRows.cpp',
    find: 'rows[i] -= static_cast<uint32_t>(slab.first);',
    replace: 'rows[i] -= 0;',
    suites: lists,
  },
  {
    name: 'slots are returned for listed rows',
    file: 'native/cudaSearch.cpp',
    find: 'for (uint32_t& row : found[i]) row = task_->listed[row];',
    replace: '',
    suites: lists,
  },
];
