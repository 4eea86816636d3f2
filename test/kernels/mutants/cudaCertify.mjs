/** Mutants of the CUDA device's certified scan; the emulation runs them. */
const certify = 'kernels/certify.cu';
const suites = ['cuda', 'mutations', 'adversarial'].map((name) => `test/device/${name}.test.ts`);

export const cudaCertify = [
  {
    name: 'codes are multiplied before their copy is there',
    file: certify,
    find: 'waitCopies<kStages - 2>();',
    replace: 'waitCopies<kStages - 1>();',
    suites,
  },
  {
    name: 'a stage is written while it is read',
    file: certify,
    find: 'start((stage + kStages - 1) % kStages);',
    replace: 'start(stage);',
    suites,
  },
  {
    name: 'lanes do not wait for the copies of others',
    file: certify,
    find: "__syncwarp();  // every lane's part is there, and the stage before has been read by all",
    replace: '',
    suites,
  },
  {
    name: 'the halves of a fragment change places',
    file: certify,
    find: 'words[t * kCodeGroup + g + 8],',
    replace: 'words[(t + 4) * kCodeGroup + g],',
    suites,
  },
  {
    name: 'the last rows have no codes',
    file: certify,
    find: 'const Walk<kSample> walk = {pass, slab, (slab.count + kCodeGroup - 1) / kCodeGroup,',
    replace: 'const Walk<kSample> walk = {pass, slab, slab.count / kCodeGroup,',
    suites,
  },
  {
    name: 'survivors of two queries count together',
    file: certify,
    find: '(0x11111111u << (lane % 4))',
    replace: '(0x33333333u << (lane % 4 & ~1u))',
    suites,
  },
  {
    name: 'codes of rows that do not pass count',
    file: certify,
    find: 'const bool passed = ((passes >> row) & 1) != 0;',
    replace: 'const bool passed = true;',
    suites,
  },
  {
    name: 'the lower half of a group has the scales of the upper',
    file: certify,
    find: 'const unsigned row = g + 8 * half;',
    replace: 'const unsigned row = g + 8 * half * 0;',
    suites,
  },
  {
    name: 'survivors beyond the room are forgotten',
    file: 'native/cudaCertify.cpp',
    find: 'selections[i].found > capacity) continue;',
    replace: 'false) continue;',
    suites,
  },
  {
    name: 'a group that two appends write keeps its first codes',
    file: 'native/cudaRows.cpp',
    find: '(before + count + kCodeGroup - 1) / kCodeGroup * kCodeGroup;',
    replace: 'before > 0 ? 0 : (count + kCodeGroup - 1) / kCodeGroup * kCodeGroup;',
    suites,
  },
];
