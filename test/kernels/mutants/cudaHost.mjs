/** Mutants of the CUDA device's host code: lanes, what they share, and errors. */
const suites = ['test/device/cuda.test.ts'];
const lane = 'native/cudaLane.cpp';
const device = 'native/cudaDevice.cpp';

export const cudaHost = [
  {
    name: 'rows are shown before their copies are there',
    file: 'native/cudaRows.cpp',
    find: '  lane.synchronize();\n',
    replace: '',
    suites,
  },
  {
    name: 'a column is shown before its copy is there',
    file: 'native/cudaColumns.cpp',
    find: '  lane.synchronize();\n',
    replace: '',
    suites,
  },
  {
    name: 'copies of an op that failed are under way in the next one',
    file: lane,
    find: 'if (stream_ != nullptr) cudaStreamSynchronize(stream_);',
    replace: '',
    suites,
  },
  {
    name: 'searches wait for appends',
    file: device,
    find: '**std::min_element(lanes_.begin() + 1, lanes_.end(),',
    replace: '**std::min_element(lanes_.begin(), lanes_.begin() + 1,',
    suites,
  },
  {
    name: 'all searches wait for one lane',
    file: device,
    find: 'return a->waiting() < b->waiting();',
    replace: 'return a.get() < b.get();',
    suites,
  },
  {
    name: 'lanes keep their scratch where memory is short',
    file: device,
    find: 'lane->scratch = CudaScratch();',
    replace: '',
    suites,
  },
  {
    name: 'scratch is freed while other lanes use it',
    file: device,
    find: 'std::unique_lock turn(turns_);',
    replace: 'std::shared_lock turn(turns_);',
    suites,
  },
  {
    name: 'a device that was lost counts as one that failed',
    file: 'native/cudaError.cpp',
    find: 'cudaMemGetInfo(&free, &total) != cudaSuccess;',
    replace: 'false;',
    suites,
  },
  {
    name: 'a device is not remembered as lost',
    file: device,
    find: 'if (!lost_) lost_ = error;\n  return *lost_;',
    replace: 'return error;',
    suites,
  },
  {
    name: 'another failure is taken for short memory',
    file: 'native/cudaBuffer.cpp',
    find: 'if (status == cudaErrorMemoryAllocation) {',
    replace: 'if (status != cudaSuccess) {',
    suites,
  },
  {
    name: 'rows of another device are taken for those of the first',
    file: 'native/cudaSearch.cpp',
    find: 'placement.rowOf(local, device)',
    replace: 'placement.rowOf(local, 0)',
    suites: ['test/device/scanRows.test.ts'],
  },
  {
    name: 'the last block of a device is counted whole',
    file: 'native/cudaPlacement.h',
    find: 'left - before < blockRows ? left - before : blockRows;',
    replace: 'blockRows;',
    suites: ['test/device/scanRows.test.ts', 'test/device/mutations.test.ts'],
  },
  {
    name: 'a block is appended beyond its end',
    file: 'native/cudaRows.cpp',
    find: 'placement_.blockRows - local % placement_.blockRows, end - local',
    replace: 'end - local',
    suites: ['test/device/scanRows.test.ts', 'test/device/mutations.test.ts'],
  },
  {
    name: 'the last words of a mask are those of another device',
    file: 'native/cudaPlacement.cpp',
    find: 'first += placement.devices * block',
    replace: 'first += block',
    suites: ['test/device/scanRows.test.ts', 'test/device/matrix.test.ts'],
  },
  {
    name: 'scores of pairs go to the places of others',
    file: 'native/cuda.cpp',
    find: 'task->scores[part->pairs[j]] =',
    replace: 'task->scores[j] =',
    suites: ['test/device/rescore.test.ts'],
  },
];
