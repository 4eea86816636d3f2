import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from '@jest/globals';
import { native, nativeProblem } from '../../ts/device/native.ts';

const helper = (name: string) => fileURLToPath(new URL(`../helpers/${name}`, import.meta.url));
if (native() === undefined) console.warn(`Threads are not tested: ${nativeProblem()?.message}`);

function searchWith(env: Record<string, string>): { description: string; digest: string } {
  const out = execFileSync(process.execPath, [helper('searchDigest.mjs')], {
    env: { ...process.env, ...env },
  });
  return JSON.parse(out.toString());
}

(native() === undefined ? describe.skip : describe)('threads of the cpu device', () => {
  test('the number of threads and the instruction set do not change a result', () => {
    const one = searchWith({ SEINE_THREADS: '1' });
    const five = searchWith({ SEINE_THREADS: '5', SEINE_ISA: 'scalar' });
    expect(one.description).toMatch(/, 1 thread$/);
    expect(five.description).toBe('scalar, 5 threads');
    expect(one.digest).toBe(five.digest);
  });

  test('four worker threads at once find what each finds alone', async () => {
    const search = (seed: number) =>
      new Promise<Uint32Array>((resolve, reject) => {
        const workerData = { n: 5000, dim: 40, seed, forever: false };
        const worker = new Worker(helper('cpuWorker.mjs'), { workerData });
        worker.once('message', resolve).once('error', reject);
      });
    const together = await Promise.all([1, 2, 3, 4].map(search));
    for (const [i, ids] of together.entries()) expect(await search(i + 1)).toEqual(ids);
  });

  test('terminating worker threads in mid-search leaves the process well', () => {
    const out = execFileSync(process.execPath, [helper('terminateWorkers.mjs'), '20']);
    expect(out.toString().trim()).toBe('terminated 40 workers');
  });
});
