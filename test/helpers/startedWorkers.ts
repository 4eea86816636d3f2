import { EventEmitter } from 'node:events';
import { Worker } from 'node:worker_threads';

interface StartedWorkers<T> {
  started: T;
  /** In the order in which they were started. */
  workers: Worker[];
  /** What those said first that run a model, by which they can be told apart: they start in any order. */
  models: Map<Worker, object>;
}

/** What `start` returns, and the worker threads that it starts: to see what happens when one dies. */
export async function startedWorkers<T>(start: () => Promise<T>): Promise<StartedWorkers<T>> {
  const workers = new Set<Worker>();
  const models = new Map<Worker, object>();
  // Whoever starts a worker listens to it.
  Worker.prototype.on = function (this: Worker, ...args: Parameters<EventEmitter['on']>) {
    if (!workers.has(this)) {
      workers.add(this);
      EventEmitter.prototype.once.call(this, 'message', ({ opened }: { opened?: object }) => {
        if (typeof opened === 'object') models.set(this, opened);
      });
    }
    return EventEmitter.prototype.on.apply(this, args) as Worker;
  } as Worker['on'];
  try {
    return { started: await start(), workers: [...workers], models };
  } finally {
    Reflect.deleteProperty(Worker.prototype, 'on');
  }
}
