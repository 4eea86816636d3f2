import { Worker } from 'node:worker_threads';
import { SeineError } from '../core/errors.ts';
import type { EncodeProgress } from './contracts.ts';
import type { FromWorker, OpenRequest, Request, ToWorker } from './inferenceProtocol.ts';
import { callState, guardExit } from './nativeCalls.ts';

export interface CallOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((done: EncodeProgress) => void) | undefined;
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: unknown): void;
  /** Rejects and lets the thread go on to something else. */
  stop(reason: unknown): void;
  onProgress: CallOptions['onProgress'];
}

/** A model in a worker thread of its own, seen from the thread that asks it. */
export class InferenceThread<Info> {
  readonly info: Info;
  /** Resolves if the thread ends without having been closed. */
  readonly failed: Promise<SeineError>;
  #onFailed: (error: SeineError) => void = () => {};
  readonly #name: string;
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  readonly #pending = new Map<number, Pending>();
  #calls = 0;
  #idle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  private constructor(worker: Worker, name: string, info: Info) {
    this.info = info;
    this.failed = new Promise((resolve) => {
      this.#onFailed = resolve;
    });
    this.#name = name;
    this.#worker = worker;
    worker.on('message', (message: FromWorker) => this.#receive(message));
    worker.on('error', (error: Error) => this.#end(crash(name, error)));
    this.#exited = new Promise((resolve) => {
      worker.on('exit', () => {
        this.#end(ended(name));
        resolve();
      });
    });
    worker.unref(); // an open model alone does not keep the process alive
  }

  static async open<Info>(request: Omit<OpenRequest, 'calls'>): Promise<InferenceThread<Info>> {
    const calls = callState();
    const unguard = guardExit(calls);
    const worker = new Worker(new URL('./inferenceWorker.js', import.meta.url), {
      execArgv: [], // flags such as --input-type would be refused for a file
      workerData: { ...request, calls } satisfies OpenRequest,
      name: `seine ${request.files.kind}`,
    });
    worker.once('exit', unguard);
    const info = await new Promise<Info>((resolve, reject) => {
      let failure = closed(request.files.name);
      const onError = (error: Error): void => {
        failure = crash(request.files.name, error);
      };
      const onExit = (): void => reject(failure);
      worker.on('error', onError).on('exit', onExit);
      worker.once('message', (message: FromWorker) => {
        if ('failed' in message) failure = new SeineError(message.failed.code, message.failed.message);
        if (!('opened' in message)) return; // a thread that failed to open a model ends by itself
        worker.off('error', onError).off('exit', onExit);
        resolve(message.opened as Info);
      });
    });
    return new InferenceThread(worker, request.files.name, info);
  }

  /** Rejects with `signal.reason` as soon as it is aborted; the thread stops after the batch it is at. */
  async call<Result>(request: Request, { signal, onProgress }: CallOptions = {}): Promise<Result> {
    signal?.throwIfAborted();
    if (this.#closing !== undefined) throw closed(this.#name);
    const id = this.#calls++;
    const flag = new Int32Array(new SharedArrayBuffer(4));
    let onAbort: (() => void) | undefined;
    try {
      return await new Promise<Result>((resolve, reject) => {
        const pending: Pending = {
          resolve: resolve as (result: unknown) => void,
          reject,
          onProgress,
          stop: (reason) => {
            Atomics.store(flag, 0, 1);
            pending.onProgress = undefined;
            reject(reason);
          },
        };
        this.#pending.set(id, pending);
        onAbort = () => pending.stop(signal?.reason);
        signal?.addEventListener('abort', onAbort, { once: true });
        this.#worker.ref();
        this.#worker.postMessage({ id, flag, request } satisfies ToWorker);
      });
    } finally {
      if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
    }
  }

  /** Waits for the calls under way, then ends the thread. May be called again. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#pending.size > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    this.#worker.ref();
    this.#worker.postMessage({ close: true } satisfies ToWorker);
    await this.#exited;
  }

  #receive(message: FromWorker): void {
    if (!('id' in message)) return;
    const pending = this.#pending.get(message.id);
    if (pending === undefined) return;
    if ('progress' in message) {
      try {
        pending.onProgress?.(message.progress);
      } catch (error) {
        pending.stop(error); // the caller's function failed, so the caller's promise does
      }
      return;
    }
    this.#pending.delete(message.id);
    if ('error' in message) pending.reject(new SeineError(message.error.code, message.error.message));
    else pending.resolve(message.result);
    if (this.#pending.size > 0) return;
    this.#worker.unref();
    this.#idle?.();
  }

  /** The thread is gone: nothing that is pending will be answered. */
  #end(error: SeineError): void {
    if (this.#closing === undefined) {
      this.#closing = Promise.resolve();
      this.#onFailed(error);
    }
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
    this.#idle?.();
  }
}

const closed = (name: string): SeineError =>
  new SeineError('ERR_CLOSED', `The model ${name} should be open but was closed: open it again.`);

const ended = (name: string): SeineError =>
  new SeineError(
    'ERR_CLOSED',
    `The thread of the model ${name} should run until it is closed but has ended: open it again.`,
  );

function crash(name: string, error: Error): SeineError {
  const memory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
  return new SeineError(
    memory ? 'ERR_OUT_OF_MEMORY' : 'ERR_INTERNAL',
    `The thread of the model ${name} should run until it is closed but failed (${error.message}): open it again` +
      `${memory ? ' and give it fewer texts at a time' : ''}.`,
    { cause: error },
  );
}
