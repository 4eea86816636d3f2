import { EventEmitter } from 'node:events';
import { Worker } from 'node:worker_threads';

/** What `start` returns, and the worker threads that it starts, in their order: to see what happens when one dies. */
export async function startedWorkers<T>(start: () => Promise<T>): Promise<{ started: T; workers: Worker[] }> {
  const workers = new Set<Worker>();
  // Whoever starts a worker listens to it.
  Worker.prototype.on = function (this: Worker, ...args: Parameters<EventEmitter['on']>) {
    workers.add(this);
    return EventEmitter.prototype.on.apply(this, args) as Worker;
  } as Worker['on'];
  try {
    return { started: await start(), workers: [...workers] };
  } finally {
    Reflect.deleteProperty(Worker.prototype, 'on');
  }
}
