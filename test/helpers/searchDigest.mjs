// Prints a digest of searches on a device, cpu if none is named, and then ends without closing anything: the process
// must exit.
import { createHash } from 'node:crypto';
import { openDevice } from '../../dist/device/openDevice.js';

const device = await openDevice(process.argv[2] ?? 'cpu');
const dim = 48;
let state = 1;
const data = Float32Array.from({ length: 30_000 * dim }, () => {
  state = (Math.imul(state, 1664525) + 1013904223) | 0;
  return state / 2 ** 31;
});
const hash = createHash('sha256');
for (const metric of ['ip', 'cosine', 'l2']) {
  const rows = await device.upload(data, { dim, metric, dtype: 'f32' });
  for (const [q, k] of [
    [1, 10],
    [65, 100],
    [3, 30_000],
  ]) {
    const { ids, scores } = await rows.search(data.subarray(7, 7 + q * dim), { k });
    hash.update(ids).update(scores);
  }
}
console.log(JSON.stringify({ description: device.description, digest: hash.digest('hex') }));
