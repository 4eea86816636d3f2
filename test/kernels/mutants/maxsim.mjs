/** Mutants of maxsim. */
const suites = ['test/device/maxsimTies.test.ts', 'test/device/maxsim.test.ts'];
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

const kernel = 'kernels/maxsim.cu';
const withBytes = ['test/device/cuda.test.ts', ...suites];

export const cudaMaxsim = [
  {
    name: 'a document that goes on in the next slab loses what it had',
    file: kernel,
    find: 'now.continued ? higher(known, best[i]) : best[i]',
    replace: 'best[i]',
    suites: withBytes,
  },
  {
    name: 'what lies behind the last token counts',
    file: kernel,
    find: '      if (first + firstOwn / kTokenGroup >= now.end) continue;\n',
    replace: '',
    suites,
  },
  {
    name: 'a product of tokens that is not finite hides behind others',
    file: kernel,
    find: 'fabsf(sums[i]) < HUGE_VALF ? sums[i] : nanf("")',
    replace: 'sums[i]',
    suites,
  },
  {
    name: 'tokens of other groups of lanes are left out',
    file: kernel,
    find: 'offset < kWarp; offset = offset == 2 ? kLanes : 2 * offset',
    replace: 'offset <= 2; offset *= 2',
    suites,
  },
  {
    name: 'tokens are scored before the copies of other threads are there',
    file: kernel,
    find: '        __syncthreads();  // every',
    replace: '        // every',
    suites,
  },
  {
    name: 'a stage of tokens is written while it is read',
    file: kernel,
    find: 'start((stage + kStages - 1) % kStages);\n        if',
    replace: 'start(stage);\n        if',
    suites,
  },
  {
    name: 'sums of the tile before are forgotten',
    file: kernel,
    find: 'begin > first ? pass.highSums[at] : 0',
    replace: '0',
    suites,
  },
  {
    name: 'the bound is that of the first token',
    file: kernel,
    find: '    longest = fmaxf(longest, __shfl_xor_sync(kAll, longest, offset));',
    replace: '    __syncwarp();',
    suites,
  },
  {
    name: 'documents that do not pass have a score',
    file: kernel,
    find: '    if (!documentPasses(pass, document)) {',
    replace: '    if (false) {',
    suites,
  },
  {
    name: 'a tile has the bounds of the first one',
    file: 'native/cudaMaxsim.cpp',
    find: 'bounds.data() + firstToken + done',
    replace: 'bounds.data()',
    suites,
  },
  {
    name: 'the last chunks of a token are dropped',
    file: kernel,
    find: 'if (chunk + part < chunks) {',
    replace: 'if (chunk + part + 1 < chunks) {',
    suites,
  },
];
