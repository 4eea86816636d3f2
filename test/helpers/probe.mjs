/**
 * Loaded into a server's process before the server itself, which knows nothing of it:
 * `node --expose-gc --import ./probe.mjs ...` with an IPC channel. Answers `memory` with the bytes held after a
 * collection, and `loop` with how long the event loop was blocked since it was last asked, in milliseconds; at
 * `terminateRanker` it ends the worker thread of the ranker.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const RESOLUTION_MS = 5;

if (isMainThread && process.send !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  let ranker;
  process.on('worker', (worker) => {
    // Models start in any order; an embedder tells its dimension when it is open.
    worker.once('message', ({ opened }) => {
      if (typeof opened === 'object' && !('dim' in opened)) ranker = worker;
    });
  });
  const answers = {
    terminateRanker: () => void ranker.terminate(),
    memory: () => {
      globalThis.gc();
      globalThis.gc();
      return process.memoryUsage();
    },
    loop: () => {
      const beyond = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
      const found = { p99: beyond(delay.percentile(99)), longest: beyond(delay.max) };
      delay.reset();
      return found;
    },
  };
  process.on('message', (question) => process.send({ question, ...answers[question]() }));
  // Listening to the channel must not keep the process alive.
  process.channel.unref();
}
