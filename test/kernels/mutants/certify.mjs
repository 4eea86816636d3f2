/** Mutants of the cpu device's certified scan. */
const codes = ['test/device/certify.test.ts'];
const imitated = ['test/kernels/scan.test.ts'];
const answers = ['certify', 'adversarial', 'matrix'].map((name) => `test/device/${name}.test.ts`);

export const certify = [
  {
    name: 'queries are not encoded for narrow sums',
    file: 'kernels/codes.cpp',
    find: 'if (narrow) scale = std::fmax(scale, narrowScale(query, dim));',
    replace: '',
    suites: codes,
  },
  {
    name: 'narrow sums are given more than 16 bits',
    file: 'kernels/codes.cpp',
    find: '(kMostSum - kNarrowQuads)',
    replace: '(kMostSum + 3 * kNarrowQuads)',
    suites: codes,
  },
  {
    name: 'negative numbers do not count in narrow sums',
    file: 'kernels/codes.cpp',
    find: 'sums[(i & 2) + (values[i] > 0 ? 1 : 0)] += std::fabs(values[i]);',
    replace: 'if (values[i] > 0) sums[i & 2] += values[i];',
    suites: imitated,
  },
  {
    name: 'AVX2 multiplies the first rows of a group twice',
    file: 'kernels/dotAvx2.h',
    find: 'loadStored(group + j * 64 + 32)',
    replace: 'loadStored(group + j * 64)',
    suites: codes,
  },
  {
    name: 'AVX-512 multiplies the first four codes four times',
    file: 'kernels/dotAvx512.h',
    find: '_mm512_load_si512(group + j * 64)',
    replace: '_mm512_load_si512(group)',
    suites: imitated,
  },
  {
    name: 'VNNI multiplies the first group of a tile twice',
    file: 'kernels/dotVnni.h',
    find: '_mm512_load_si512(group + quads * 64)',
    replace: '_mm512_load_si512(group)',
    suites: imitated,
  },
  {
    name: 'only the candidates that were scored first are kept',
    file: 'native/codedCandidates.h',
    find: '    scored_ += static_cast<size_t>(to - from);\n',
    replace: '    scored_ += static_cast<size_t>(to - from);\n    items_.erase(to, items_.end());\n',
    suites: answers,
  },
  {
    name: 'candidates that were not scored go with those that were dropped',
    file: 'native/codedCandidates.h',
    find: 'items_.erase(std::move(middle, end, scoredEnd), items_.end());',
    replace: 'items_.erase(scoredEnd, items_.end());',
    suites: answers,
  },
  {
    name: 'what another thread scored is forgotten',
    file: 'native/codedCandidates.h',
    find: '  items_.insert(items_.begin() + static_cast<ptrdiff_t>(scored_), other.items_.begin(), middle);\n',
    replace: '',
    suites: answers,
  },
  {
    name: 'the float32 score of one candidate is taken for that of all',
    file: 'native/certifiedScan.cpp',
    find: 'context_.bounds[query].interval(scores[i], weight)',
    replace: 'context_.bounds[query].interval(scores[0], weight)',
    suites: answers,
  },
];
