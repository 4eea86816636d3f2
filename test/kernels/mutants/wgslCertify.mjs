/** Mutants of the WebGPU device in the scan by codes, and in survivors of a sample. */
const grid = 'kernels/scanGrid.wgsl';
const select = 'kernels/select.wgsl';
const certify = 'kernels/certify.wgsl';
const subgroup = 'kernels/sumSubgroup.wgsl';
const host = 'ts/device/webgpuCodes.ts';
const survivors = ['test/device/webgpuSearch.test.ts', 'test/device/webgpuCertify.test.ts'];
const codes = ['test/device/webgpuCertify.test.ts'];
const samples = ['test/device/manyRows.test.ts'];

export const wgslCertify = [
  {
    name: 'rows that reach just the threshold are dropped',
    file: grid,
    find: 'u32(ends.x <= selections[query].prefix)',
    replace: 'u32(ends.x < selections[query].prefix)',
    suites: samples,
  },
  {
    name: 'survivors are not counted atomically',
    file: grid,
    find: '{ first = atomicAdd(&selections[query].found, survivors); }',
    replace:
      '{ first = atomicLoad(&selections[query].found);\n  atomicStore(&selections[query].found, first + survivors); }',
    suites: survivors,
  },
  {
    name: 'survivors that there is no room for are forgotten',
    file: select,
    find: 'found > params.stride)',
    replace: 'found > 0xfffffff0u)',
    suites: survivors,
  },
  {
    name: 'the threshold of survivors is that of the first of them',
    file: select,
    find: 'let threshold = kthOf(query, count, thread);',
    replace: 'let threshold = kthOf(query, count / 2u, thread);',
    suites: survivors,
  },
  {
    name: 'bins of survivors are not cleared behind a barrier',
    file: select,
    find: '    atomicStore(&bins[thread], 0u);\n    workgroupBarrier();',
    replace: '    atomicStore(&bins[thread], 0u);',
    suites: survivors,
  },
  {
    name: 'a digit of survivors is picked before all are counted',
    file: select,
    find: '    workgroupBarrier();\n    if (thread == 0u) {\n      let picked',
    replace: '    if (thread == 0u) {\n      let picked',
    suites: survivors,
  },
  {
    name: 'survivors behind those that threads hold are not counted',
    file: select,
    find: 'for (var i = HELD; i * THREADS + thread < count; i++) {',
    replace: 'for (var i = HELD; false; i++) {',
    suites: ['test/device/webgpuSearch.test.ts'],
  },
  {
    name: 'keys are held for another query',
    file: select,
    find: 'held[i] = keys[largestAt(first + i * THREADS)];',
    replace: 'held[i] = keys[largestAt(thread + i * THREADS)];',
    suites: survivors,
  },
  {
    name: 'survivors of a subgroup leave the first place out',
    file: subgroup,
    find: 'subgroupExclusiveAdd(amount)',
    replace: 'subgroupInclusiveAdd(amount)',
    suites: ['test/device/webgpuSearch.test.ts'],
  },
  {
    name: 'threads of a subgroup have places of their own',
    file: subgroup,
    find: 'return subgroupBroadcastFirst(value);',
    replace: 'return value;',
    suites: ['test/device/webgpuSearch.test.ts'],
  },
  {
    name: 'each thread adds the sum of its subgroup',
    file: subgroup,
    find: 'return subgroupElect();',
    replace: 'return true;',
    suites: ['test/device/webgpuSearch.test.ts'],
  },
  {
    name: 'survivors of a subgroup are counted by one of its threads alone',
    file: grid,
    find: '  let survivors = sumOf(survives);',
    replace: '  let survivors = survives;',
    suites: ['test/device/webgpuSearch.test.ts'],
  },
  {
    name: 'bits of a subgroup are counted by each of its threads',
    file: 'kernels/filter.wgsl',
    find: 'if (adds()) { atomicAdd(&own, sum); }',
    replace: 'atomicAdd(&own, sum);',
    suites: ['test/device/webgpuFilter.test.ts'],
  },
  {
    name: 'rows are read for eight queries at a time',
    file: 'ts/device/webgpuPipelines.ts',
    find: 'const QUERIES_PER_PASS = 32;',
    replace: 'const QUERIES_PER_PASS = 8;',
    suites: ['test/device/webgpuWork.test.ts'],
  },
  {
    name: 'the last queries are in no pass',
    file: 'ts/device/webgpuSearch.ts',
    find: 'y: Math.ceil(q / tile),',
    replace: 'y: Math.max(1, Math.floor(q / tile)),',
    suites: survivors,
  },
  {
    name: 'shards of a sample write over each other',
    file: grid,
    find: 'let entry = params.offset + block * BLOCK + lane;',
    replace: 'let entry = block * BLOCK + lane;',
    suites: samples,
  },
  {
    name: 'survivors of a shard are counted from 0',
    file: grid,
    find: '= params.first + slot;',
    replace: '= slot;',
    suites: samples,
  },
  {
    name: 'slots behind the last one are given keys',
    file: grid,
    find: '} else if (entry < params.stride) {',
    replace: '} else {',
    suites: ['test/device/adversarial.test.ts', 'test/device/matrix.test.ts'],
  },
  {
    name: 'what the codes of a row leave is not in the error',
    file: certify,
    find: 'bound.x * fact.length + bound.y * fact.rest + bound.z',
    replace: 'bound.x * fact.length + bound.z',
    suites: codes,
  },
  {
    name: 'rows of extreme length are decided by their codes',
    file: certify,
    find: 'if (fact.length >= bound.w) { return vec2u(LOWEST, HIGHEST); }',
    replace: '',
    suites: codes,
  },
  {
    name: 'codes are taken for positive',
    file: 'kernels/dotUnpacked.wgsl',
    find: 'bitcast<vec4i>(vec4u(word) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u)',
    replace: 'vec4i((vec4u(word) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u))',
    suites: codes,
  },
  {
    name: 'roundings are not granted',
    file: host,
    find: 'const ROUNDINGS = 16 * U;',
    replace: 'const ROUNDINGS = 0 * U;',
    suites: codes,
  },
  {
    name: 'the bound by codes is a little too narrow',
    file: host,
    find: 'twice * (left + ROUNDINGS * sum) * UP,',
    replace: 'twice * (left * 0.95 + ROUNDINGS * sum) * UP,',
    suites: codes,
  },
  {
    name: 'an append writes over the facts of the first codes',
    file: host,
    find: 'queue.writeBuffer(this.facts, from * FACTS * 4, facts);',
    replace: 'queue.writeBuffer(this.facts, 0, facts);',
    suites: codes,
  },
];
