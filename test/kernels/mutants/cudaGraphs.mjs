/** Mutants of searches that the CUDA device records and starts again. */
const suites = ['test/device/cuda.test.ts'];
const graphs = 'native/cudaGraphs.cpp';
const certify = 'native/cudaCertify.cpp';

export const cudaGraphs = [
  {
    name: 'a graph outlives the memory that it reads',
    file: graphs,
    find: '{ add(CudaBuffer::freed()); }',
    replace: '{}',
    suites,
  },
  {
    name: 'a graph over the codes of other rows is started',
    file: certify,
    find: '.add(pass).add(selection).add(slabs);',
    replace: '.add(pass).add(selection);',
    suites,
  },
  {
    name: 'a graph over other rows is started',
    file: 'native/cudaSearch.cpp',
    find: 'CudaSequence("rows").add(pass).add(slabs)',
    replace: 'CudaSequence("rows").add(pass)',
    suites,
  },
  {
    name: 'a graph for other queries is started',
    file: certify,
    find: '.add(pass).add(selection).add(slabs);',
    replace: '.add(selection.lows).add(slabs);',
    suites,
  },
  {
    name: 'a stream goes on recording what failed',
    file: graphs,
    find: 'if (cudaStreamEndCapture(stream, &recorded) == cudaSuccess) cudaGraphDestroy(recorded);',
    replace: '',
    suites,
  },
  {
    name: 'graphs are kept without end',
    file: graphs,
    find: 'if (known_.size() == kMost) known_.pop_back();',
    replace: '',
    suites,
  },
  {
    name: 'what was recorded is kept beside its graph',
    file: graphs,
    find: '  cudaGraphDestroy(recorded);\n  if (status',
    replace: '  if (status',
    suites,
  },
  {
    name: 'queries are staged where a filter is still copied from',
    file: 'native/cudaLane.cpp',
    find: '  for (const cudaEvent_t event : copied_) checkCuda(cudaEventSynchronize(event), "waiting for a copy");\n',
    replace: '',
    suites,
  },
  {
    name: 'survivors are those of the first query',
    file: certify,
    find: '(at.survivors - at.selections) + from, bytes);',
    replace: '(at.survivors - at.selections), bytes);',
    suites,
  },
];
