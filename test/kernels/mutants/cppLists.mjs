/** Mutants of the cpu device in listed rows, select, merge and rescore. */
const lists = ['test/device/scanRows.test.ts'];
const selects = ['test/device/select.test.ts'];
const merges = ['test/device/merge.test.ts'];
const rescores = ['test/device/rescore.test.ts'];

export const cppLists = [
  {
    name: 'neighbouring pairs are scored with the first query',
    file: 'native/rescoreOnPool.cpp',
    find: 'while (next < most && task.pairQueries[next] == query) next++;',
    replace: 'while (next < most) next++;',
    suites: rescores,
  },
  {
    name: 'the length of the query before is kept',
    file: 'native/rescoreOnPool.cpp',
    find: '(from == begin || query != task.pairQueries[from - 1])',
    replace: 'from == begin',
    suites: rescores,
  },
  {
    name: 'the limit of a selection is the best of the k',
    file: 'kernels/select.cpp',
    find: 'limit = keyScore(lowest, *kth());',
    replace: 'limit = keyScore(lowest, *std::min_element(keys.begin(), keys.end()));',
    suites: selects,
  },
  {
    name: 'the limit of the highest holds for the lowest',
    file: 'kernels/select.cpp',
    find: '(lowest ? score < limit : score > limit)',
    replace: '(score > limit)',
    suites: selects,
  },
  {
    name: 'selected scores are not in order',
    file: 'kernels/select.cpp',
    find: 'std::partial_sort(keys.begin(), kth() + 1, keys.end());',
    replace: 'std::nth_element(keys.begin(), kth(), keys.end());',
    suites: selects,
  },
  {
    name: 'a merged list ends before its last entry',
    file: 'kernels/merge.cpp',
    find: 'if (++head.entry == head.end) continue;',
    replace: 'if (++head.entry + 1 >= head.end) continue;',
    suites: merges,
  },
  {
    name: 'a list keeps the key of its first entry',
    file: 'kernels/merge.cpp',
    find: '    head.key = keyOf(head.entry);\n',
    replace: '',
    suites: merges,
  },
  {
    name: 'queries merge the lists of the first',
    file: 'native/poolTasks.cpp',
    find: 'all.starts + query * task.lists',
    replace: 'all.starts + 0 * query',
    suites: merges,
  },
  {
    name: 'the first listed row of a stripe is not scanned',
    file: 'native/floatScan.cpp',
    find: 'for (size_t i = begin; i < end && !context_.stopped(); i++) addRow(scratch, listed[i]);',
    replace: 'for (size_t i = begin + 1; i < end && !context_.stopped(); i++) addRow(scratch, listed[i]);',
    suites: lists,
  },
  {
    name: 'removed rows are searched if they are listed',
    file: 'ts/device/snapshot.ts',
    find: '(kept !== undefined && !hasBit(kept, row))',
    replace: 'kept?.length === 0',
    suites: lists,
  },
  {
    name: 'a row is searched as often as it is listed',
    file: 'ts/device/snapshot.ts',
    find: 'row === rows[next - 1] || ',
    replace: '',
    suites: lists,
  },
];
