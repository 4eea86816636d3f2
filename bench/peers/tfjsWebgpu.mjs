// matMul and topk of TensorFlow.js on its WebGPU backend, through Dawn.
import { createRequire } from 'node:module';
import { answerLines, load, versionOf } from './answerLines.mjs';

const { create, globals } = createRequire(import.meta.url)('webgpu');
Object.assign(globalThis, globals);
const gpu = create([]);
Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: 'Node.js' }, configurable: true });
const tf = load('@tensorflow/tfjs-core');
load('@tensorflow/tfjs-backend-webgpu');
if (!(await tf.setBackend('webgpu'))) process.exit(1);

await answerLines(
  'tfjs-webgpu',
  versionOf('@tensorflow/tfjs-backend-webgpu'),
  { metrics: ['ip'], batches: [1, 8, 64] },
  1,
  (rows, count, dim) => {
    const matrix = tf.tensor(rows, [count, dim]);
    return async (queries, q, k) => {
      const asked = tf.tensor(queries, [q, dim]);
      const scores = tf.matMul(asked, matrix, false, true);
      const { values, indices } = tf.topk(scores, k);
      const ids = await indices.data();
      for (const tensor of [asked, scores, values, indices]) tensor.dispose();
      return ids;
    };
  },
);
