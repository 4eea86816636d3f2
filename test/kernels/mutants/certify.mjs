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
    name: 'only the first candidates are scored in float32',
    file: 'native/certifiedScan.cpp',
    find: 'dropBelow(left, kthLow(kept, k));',
    replace: 'left.clear();',
    suites: answers,
  },
];
