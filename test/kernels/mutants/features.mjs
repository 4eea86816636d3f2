/** Mutants of rows with features, on every device. */
const suites = ['test/device/features.test.ts'];
const bounds = ['test/device/webgpuWeights.test.ts', ...suites];
const kernel = 'kernels/scan.wgsl';

export const cppFeatures = [
  {
    name: 'a negative weight leaves the ends as they are',
    file: 'kernels/interval.h',
    find: 'scale * (scale < 0 ? similarity.high : similarity.low)',
    replace: 'scale * similarity.low',
    suites,
  },
  {
    name: 'features are weighed for the first query',
    file: 'native/floatScan.cpp',
    find: '&context_.task->weights[query * (1 + width)]',
    replace: '&context_.task->weights[0]',
    suites,
  },
  {
    name: 'the last feature has no weight',
    file: 'kernels/canonical.cpp',
    find: 'i < weighing.count; i++',
    replace: 'i + 1 < weighing.count; i++',
    suites,
  },
  {
    name: 'the similarity has no weight',
    file: 'kernels/canonical.cpp',
    find: 'weighing.weights[0] * similarity',
    replace: 'similarity',
    suites,
  },
  {
    name: 'an append writes over the features of its chunk',
    file: 'native/chunk.cpp',
    find: '&features[first * layout.features]',
    replace: '&features[0]',
    suites,
  },
];

const codes = ['test/device/certifyFeatures.test.ts', ...suites];

export const cppWeighedCodes = [
  {
    name: 'what rounding takes from sums of features is forgotten',
    file: 'kernels/certify.cpp',
    find: 'sums[row] + share * sizes[row]',
    replace: 'sums[row]',
    suites: codes,
  },
  {
    name: 'sizes of features cancel',
    file: 'kernels/certify.cpp',
    find: 'sizes[row] += term < 0 ? -term : term;',
    replace: 'sizes[row] += term;',
    suites: codes,
  },
  {
    name: 'codes know nothing of features',
    file: 'kernels/certify.cpp',
    find: '    if (rows.added != nullptr) high = add(high, load(rows.added + i));\n',
    replace: '',
    suites: codes,
  },
  {
    name: 'features of a block are those of its first row',
    file: 'native/certifiedScan.cpp',
    find: 'scratch.features[i * blockRows_ + row - begin]',
    replace: 'scratch.features[i * blockRows_]',
    suites,
  },
  {
    name: 'codes of a query are those of its similarity',
    file: 'native/weighQuery.h',
    find: 'number *= weight;',
    replace: 'number += 0 * weight;',
    suites: codes,
  },
];

export const cudaFeatures = [
  {
    name: 'codes of the lower half of a group have the features of the upper',
    file: 'kernels/certify.cu',
    find: '__shfl_sync(kAll, own, lane / 4 + 8)',
    replace: '__shfl_sync(kAll, own, lane / 4)',
    suites,
  },
  {
    name: 'codes are weighed by the first query of the pass',
    file: 'kernels/certify.cu',
    find: 'pass.weights[query * (1 + pass.features) + 1 + feature]',
    replace: 'pass.weights[1 + feature]',
    suites,
  },
  {
    name: 'features are those of the slot',
    file: 'kernels/scanSelect.cu',
    find: 'slab.features + row * pass.features',
    replace: 'slab.features + slot * pass.features',
    suites,
  },
  {
    name: 'an append writes over the features of its slab',
    file: 'native/cudaRows.cpp',
    find: 'slab->features.as<float>() + to * width',
    replace: 'slab->features.as<float>()',
    suites,
  },
  {
    name: 'weights are those of the first query of the pass',
    file: 'kernels/scanSelect.cu',
    find: 'pass.weights + blockIdx.y * (1 + pass.features)',
    replace: 'pass.weights',
    suites,
  },
  {
    name: 'features of a pair are those of the first row',
    file: 'kernels/rescore.cu',
    find: 'slab.features + row * rescoring.features',
    replace: 'slab.features',
    suites,
  },
];

export const wgslFeatures = [
  {
    name: 'features are not in the cost',
    file: kernel,
    find: '-(sum * fact.y + features.x)',
    replace: '-(sum * fact.y)',
    suites,
  },
  {
    name: 'magnitudes of features cancel',
    file: kernel,
    find: 'max(abs(weight), 0x1p-100f) * abs(feature)',
    replace: 'weight * feature',
    suites,
  },
  {
    name: 'weights begin one number early',
    file: kernel,
    find: '1u + (i + 1u) / 4u][(i + 1u) % 4u]',
    replace: '1u + i / 4u][i % 4u]',
    suites,
  },
  {
    name: 'features whose products overflow are decided',
    file: kernel,
    find: 'undecided = undecided || share >= bounds[boundAt(query) + 1u].x;',
    replace: '',
    suites,
  },
  {
    name: 'a small share of the query loses nothing where it is flushed',
    file: 'ts/device/webgpuBounds.ts',
    find: 'Math.max(relative * t * part, (n / SHORTEST) * TINY * 4) * UP',
    replace: 'relative * t * part * UP',
    suites: bounds,
  },
];
