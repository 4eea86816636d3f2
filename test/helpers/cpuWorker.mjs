// A worker thread that searches on the cpu device and posts the ids that it found; with `forever` it goes on until
// it is terminated.
import { parentPort, workerData } from 'node:worker_threads';
import { openDevice } from '../../dist/device/openDevice.js';

const { n, dim, seed, forever } = workerData;
const device = await openDevice('cpu');
let state = seed;
const data = Float32Array.from({ length: n * dim }, () => {
  state = (Math.imul(state, 1664525) + 1013904223) | 0;
  return state / 2 ** 31;
});
const rows = await device.upload(data, { dim, metric: 'cosine', dtype: 'f32' });
const queries = data.slice(0, 16 * dim);
if (forever) {
  parentPort.postMessage('searching');
  for (;;) {
    await Promise.all([
      rows.search(queries, { k: 50 }),
      rows.append(data.subarray(0, 4096 * dim)),
      rows.search(queries.subarray(0, dim), { k: n }),
    ]);
  }
}
const { ids } = await rows.search(queries, { k: 10 });
await device.close();
parentPort.postMessage(ids);
