// MatMul and TopK of ONNX Runtime on its WebGPU provider.
import * as ort from 'onnxruntime-node';
import { writeOnnx } from '../../dist/graph/onnx.js';
import { answerLines } from './answerLines.mjs';

if (!ort.listSupportedBackends().some(({ name }) => name === 'webgpu')) process.exit(1);

/** Rows lie in the graph, as [dim, rows]: so they stay on the device. */
function modelOf(rows, count, dim, k) {
  const turned = new Float32Array(rows.length);
  for (let row = 0; row < count; row++) {
    for (let i = 0; i < dim; i++) turned[i * count + row] = rows[row * dim + i];
  }
  return writeOnnx({
    nodes: [
      { op: 'MatMul', inputs: ['queries', 'rows'], outputs: ['scores'] },
      { op: 'TopK', inputs: ['scores', 'k'], outputs: ['values', 'ids'] },
    ],
    initializers: [
      { name: 'rows', type: 'float32', dims: [dim, count], data: turned },
      { name: 'k', type: 'int64', dims: [1], data: BigInt64Array.of(BigInt(k)) },
    ],
    inputs: [{ name: 'queries', type: 'float32', dims: ['q', dim] }],
    outputs: [
      { name: 'values', type: 'float32', dims: ['q', k] },
      { name: 'ids', type: 'int64', dims: ['q', k] },
    ],
  });
}

await answerLines(
  'onnxruntime-webgpu',
  ort.env.versions.node,
  { metrics: ['ip'], batches: [1, 8, 64] },
  1,
  (rows, count, dim) => {
    const sessions = new Map();
    return async (queries, q, k) => {
      if (!sessions.has(k)) {
        const options = { executionProviders: ['webgpu'] };
        sessions.set(k, await ort.InferenceSession.create(modelOf(rows, count, dim, k), options));
      }
      const { ids } = await sessions.get(k).run({ queries: new ort.Tensor('float32', queries, [q, dim]) });
      return ids.data;
    };
  },
);
