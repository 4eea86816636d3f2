/** Mutants of maxsim. */
const suites = ['test/device/maxsim.test.ts'];
const scan = 'native/documentScan.cpp';

export const wgslMaxsim = [
  {
    name: 'the best product is kept for the next token',
    file: 'ts/device/webgpuMaxsim.ts',
    find: '        let best = Number.NEGATIVE_INFINITY;',
    replace: '        let best = token === 0 ? Number.NEGATIVE_INFINITY : exact[at - 1]!;',
    suites,
  },
];

export const cppMaxsim = [
  {
    name: 'a product that is not finite hides behind others',
    file: scan,
    find: 'finite &= std::fabs(scores[i]) < kInfinity;',
    replace: '',
    suites,
  },
  {
    name: 'the last token of a document is not looked at',
    file: scan,
    find: 'for (size_t i = begin; i < end; i++) {',
    replace: 'for (size_t i = begin; i + 1 < end; i++) {',
    suites,
  },
  {
    name: 'tokens of a query beyond the first tile are left out',
    file: scan,
    find: 'first < task.offsets[query + 1]; first += kQueryTile',
    replace: 'first < task.offsets[query] + 1; first += kQueryTile',
    suites,
  },
  {
    name: 'the bound is that of the shortest token',
    file: scan,
    find: 'longest = std::max(longest, chunk.weights[slot]);',
    replace: 'longest = longest == 0 ? chunk.weights[slot] : std::min(longest, chunk.weights[slot]);',
    suites,
  },
  {
    name: 'documents are scored by their first query token',
    file: scan,
    find: 'context_.bounds[token].interval',
    replace: 'context_.bounds[0].interval',
    suites,
  },
  {
    name: 'the last product is the best one',
    file: 'kernels/canonical.cpp',
    find: 'best = products[i] > best ? products[i] : best;',
    replace: 'best = products[i];',
    suites,
  },
];
