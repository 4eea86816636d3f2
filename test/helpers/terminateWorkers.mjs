// Starts worker threads that search, append and check, and terminates each at another moment. Ends with 0.
import { Worker } from 'node:worker_threads';

const rounds = Number(process.argv[2]);
for (let round = 0; round < rounds; round++) {
  const workerData = { n: 6000, dim: 96, seed: round + 1, forever: true };
  const workers = [0, 1].map(() => new Worker(new URL('./cpuWorker.mjs', import.meta.url), { workerData }));
  await Promise.all(
    workers.map(async (worker, i) => {
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
      await new Promise((resolve) => setTimeout(resolve, ((round * 7 + i * 3) % 23) / 2));
      await worker.terminate();
    }),
  );
}
console.log(`terminated ${2 * rounds} workers`);
