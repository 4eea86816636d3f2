import { Worker } from 'node:worker_threads';
import { SeineError } from '../core/errors.ts';
import { newGate, release, shutOnExit } from './exitGate.ts';
import type { CallName, Calls, FromWorker, ToWorker, WorkerSettings } from './protocol.ts';
import { fromWire } from './wireError.ts';

interface Pending {
  resolve: (result: unknown) => void;
  reject: (error: unknown) => void;
}

/** The main thread's end of the line to the worker that holds the database. */
export class StoreClient {
  readonly #worker: Worker;
  readonly #path: string;
  readonly #pending = new Map<number, Pending>();
  readonly #onWarning: (message: string) => void;
  readonly #exited: Promise<void>;
  /** Resolves if the worker ends without having been closed. */
  readonly failed: Promise<SeineError>;
  #onFailed: (error: SeineError) => void = () => {};
  #opening: Pending | undefined;
  #calls = 0;
  #busy = false;
  #closing: Promise<undefined> | undefined;
  #dead: SeineError | undefined;

  constructor(worker: Worker, path: string, onWarning: (message: string) => void) {
    this.#worker = worker;
    this.#path = path;
    this.#onWarning = onWarning;
    this.failed = new Promise((resolve) => {
      this.#onFailed = resolve;
    });
    worker.on('message', (message: FromWorker) => this.#receive(message));
    worker.on('error', (error) => this.#fail(error));
    this.#exited = new Promise((resolve) => {
      worker.on('exit', () => {
        this.#fail(undefined);
        resolve();
      });
    });
  }

  /** Starts a worker on the database and waits until it is open. */
  static async open(
    settings: Omit<WorkerSettings, 'gate'>,
    onWarning: (message: string) => void,
  ): Promise<StoreClient> {
    const url = new URL('./storeWorker.js', import.meta.url);
    const gate = newGate();
    const workerData: WorkerSettings = { ...settings, gate };
    // Flags of the process such as --input-type would be refused for a file.
    const worker = new Worker(url, { workerData, name: 'seine-store', execArgv: [] });
    shutOnExit(gate);
    worker.on('exit', () => release(gate));
    const client = new StoreClient(worker, settings.path, onWarning);
    await new Promise<unknown>((resolve, reject) => {
      client.#opening = { resolve, reject };
    });
    return client;
  }

  /** Asks the worker; an aborted call rejects at once with the signal's reason. */
  call<Name extends CallName>(
    name: Name,
    args: Calls[Name]['args'],
    transfer: ArrayBuffer[] = [],
    signal?: AbortSignal,
  ): Promise<Calls[Name]['result']> {
    if (this.#closing !== undefined) {
      return Promise.reject(
        new SeineError('ERR_CLOSED', `The store ${this.#path} is closed: open it again to use it.`),
      );
    }
    return this.#send(name, args, transfer, signal);
  }

  /** Lets the worker finish what was asked before, close the database and end. One that has failed is closed. */
  close(): Promise<undefined> {
    this.#closing ??=
      this.#dead === undefined
        ? this.#send('close', undefined, []).finally(() => this.#exited)
        : Promise.resolve(undefined);
    this.#keepAlive();
    return this.#closing;
  }

  #send<Name extends CallName>(
    name: Name,
    args: Calls[Name]['args'],
    transfer: ArrayBuffer[],
    signal?: AbortSignal,
  ): Promise<Calls[Name]['result']> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead);
    if (signal?.aborted) return Promise.reject(signal.reason);
    const call = ++this.#calls;
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#post({ cancel: call });
        this.#settle(call)?.reject(signal?.reason);
      };
      const release = (): void => signal?.removeEventListener('abort', abort);
      signal?.addEventListener('abort', abort, { once: true });
      this.#pending.set(call, {
        resolve: (result) => {
          release();
          resolve(result as Calls[Name]['result']);
        },
        reject: (error) => {
          release();
          reject(error);
        },
      });
      this.#post({ call, name, args } as ToWorker, transfer);
      this.#keepAlive();
    });
  }

  #post(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  #receive(message: FromWorker): void {
    if ('opened' in message) {
      this.#opening?.resolve(undefined);
      this.#opening = undefined;
    } else if ('refused' in message) this.#opening?.reject(fromWire(message.refused));
    else if ('warning' in message) this.#onWarning(message.warning);
    else if ('busy' in message) this.#busy = message.busy;
    else if ('error' in message) this.#settle(message.call)?.reject(fromWire(message.error));
    else this.#settle(message.call)?.resolve(message.result);
    this.#keepAlive();
  }

  #settle(call: number): Pending | undefined {
    const pending = this.#pending.get(call);
    this.#pending.delete(call);
    this.#keepAlive();
    return pending;
  }

  /** The process may end while the worker is idle, never while it works: ending it then would abort the process. */
  #keepAlive(): void {
    const works = this.#pending.size > 0 || this.#busy;
    if (works || this.#opening !== undefined || this.#closing !== undefined) this.#worker.ref();
    else this.#worker.unref();
  }

  #fail(cause: unknown): void {
    this.#dead ??= new SeineError(
      'ERR_INTERNAL',
      `The worker of the store ${this.#path} has ended: open the store again.`,
      { cause },
    );
    if (this.#closing === undefined) this.#onFailed(this.#dead);
    this.#opening?.reject(this.#dead);
    for (const call of [...this.#pending.keys()]) this.#settle(call)?.reject(this.#dead);
  }
}
