import { Worker } from 'node:worker_threads';
import { SeineError } from '../core/errors.ts';
import { newGate, release, shutOnExit } from './exitGate.ts';
import type { ScoreEntry, ScoreKind } from './scoreEntry.ts';
import type {
  FromScoreWorker,
  KeyedEntry,
  ScoreWorkerSettings,
  TierState,
  ToScoreWorker,
} from './scoreProtocol.ts';
import { fromWire } from './wireError.ts';

export interface ScoreFileState extends TierState {
  /** Scores that were not written: the queue was full, or writing failed. */
  dropped: number;
  /** Scores that were not looked for, as too many reads waited. */
  skipped: number;
}

/** Entries that wait to be written at most: what comes on top is dropped, as a cache may forget. */
const MOST_WAITING = 20_000;
/** Reads that wait at most: behind more of them, none would come in the time that an answer waits for it. */
const MOST_READS = 4;
/** Milliseconds over which writes are gathered. */
const GATHER_MS = 100;

/**
 * Scores in a SQLite file, kept across restarts by a worker thread. It is only a cache: what it cannot read is not
 * there, and what it cannot write is dropped and counted; the first such failure is told as a warning.
 */
export class ScoreTier {
  readonly #path: string;
  readonly #worker: Worker;
  readonly #onWarning: (message: string) => void;
  readonly #pending = new Map<number, (answer: KeyedEntry[] | undefined) => void>();
  readonly #exited: Promise<void>;
  #state: TierState;
  /** Entries to be written. */
  #waiting = noEntries();
  #gathering: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #calls = 0;
  #reads = 0;
  #dropped = 0;
  #skipped = 0;
  /** Whether the worker is gone: nothing is read or written any more. */
  #ended = false;
  #warned = false;
  #closed: Promise<void> | undefined;

  private constructor(path: string, worker: Worker, state: TierState, onWarning: (message: string) => void) {
    this.#path = path;
    this.#worker = worker;
    this.#state = state;
    this.#onWarning = onWarning;
    worker.on('message', (message: FromScoreWorker) => this.#receive(message));
    worker.on('error', (error) => this.#warnOnce(error));
    this.#exited = new Promise((resolve) => {
      worker.on('exit', () => {
        this.#ended = true;
        if (this.#closed === undefined) {
          this.#warnOnce(
            new SeineError('ERR_INTERNAL', `The thread of the file of scores ${this.#path} has ended.`),
          );
        }
        for (const call of [...this.#pending.keys()]) this.#settle(call, undefined);
        resolve();
      });
    });
    worker.unref();
  }

  /**
   * Opens or makes the file at `path`, for scores of `bytes` at most: half for each kind. Errors: ERR_CORRUPT (it is
   * another kind of file), ERR_VERSION, ERR_DISK, ERR_LOCKED.
   */
  static async open(
    path: string,
    bytes: number,
    onWarning: (message: string) => void = (message) => process.emitWarning(message),
  ): Promise<ScoreTier> {
    const gate = newGate();
    const workerData: ScoreWorkerSettings = { path, bytes, gate };
    const url = new URL('./scoreTierWorker.js', import.meta.url);
    // Flags of the process such as --input-type would be refused for a file.
    const worker = new Worker(url, { workerData, name: 'seine-scores', execArgv: [] });
    shutOnExit(gate);
    worker.once('exit', () => release(gate));
    return new Promise((resolve, reject) => {
      const receive = (message: FromScoreWorker): void => {
        if ('warning' in message) onWarning(message.warning);
        else if ('refused' in message) reject(fromWire(message.refused));
        else if ('opened' in message) {
          worker.off('message', receive).off('error', reject);
          resolve(new ScoreTier(path, worker, message.opened, onWarning));
        }
      };
      worker.on('message', receive).on('error', reject);
    });
  }

  /** The entries that there are of these keys. Never rejects. */
  async get(kind: ScoreKind, keys: string[]): Promise<Map<string, ScoreEntry>> {
    const found = new Map<string, ScoreEntry>();
    const asked: string[] = [];
    for (const key of keys) {
      const waiting = this.#waiting[kind].get(key);
      if (waiting === undefined) asked.push(key);
      else found.set(key, waiting);
    }
    if (asked.length === 0 || this.#closed !== undefined) return found;
    if (this.#reads >= MOST_READS) {
      this.#skipped += asked.length;
      return found;
    }
    this.#reads++;
    const answer = await this.#ask({ get: asked, kind });
    this.#reads--;
    for (const [key, entry] of answer ?? []) found.set(key, entry);
    return found;
  }

  /** Writes an entry soon. */
  set(kind: ScoreKind, key: string, entry: ScoreEntry): void {
    if (this.#closed !== undefined || this.#ended || sizeOf(this.#waiting) >= MOST_WAITING) {
      this.#dropped++;
      return;
    }
    this.#waiting[kind].set(key, entry);
    this.#gathering ??= setTimeout(() => void this.#write(), GATHER_MS).unref();
  }

  state(): ScoreFileState {
    return { ...this.#state, dropped: this.#dropped, skipped: this.#skipped };
  }

  /** Writes what waits, then closes the file. Calling it again is harmless. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#write();
    if (this.#ended) return;
    this.#worker.ref();
    this.#worker.postMessage({ close: true } satisfies ToScoreWorker);
    await this.#exited;
  }

  async #write(): Promise<void> {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    await this.#writing;
    if (sizeOf(this.#waiting) === 0) return;
    this.#writing = this.#writeAll();
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = noEntries();
    const put = { shared: [...batch.shared], personal: [...batch.personal] };
    if ((await this.#ask({ put })) === undefined) this.#dropped += sizeOf(batch);
  }

  /** `undefined` if it failed. */
  #ask(
    request: { get: string[]; kind: ScoreKind } | { put: Record<ScoreKind, KeyedEntry[]> },
  ): Promise<KeyedEntry[] | undefined> {
    if (this.#ended) return Promise.resolve(undefined);
    const call = this.#calls++;
    return new Promise((resolve) => {
      this.#pending.set(call, resolve);
      this.#worker.ref();
      this.#worker.postMessage({ call, ...request } satisfies ToScoreWorker);
    });
  }

  #receive(message: FromScoreWorker): void {
    if ('warning' in message) this.#onWarning(message.warning);
    if (!('call' in message)) return;
    if ('error' in message) {
      this.#warnOnce(fromWire(message.error));
      this.#settle(message.call, undefined);
      return;
    }
    this.#state = message.state;
    this.#settle(message.call, message.found);
  }

  #settle(call: number, answer: KeyedEntry[] | undefined): void {
    this.#pending.get(call)?.(answer);
    this.#pending.delete(call);
    if (this.#pending.size === 0 && this.#closed === undefined) this.#worker.unref();
  }

  #warnOnce(error: Error): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#onWarning(`${error.message} Searches go on without the scores that it would keep.`);
  }
}

const noEntries = (): Record<ScoreKind, Map<string, ScoreEntry>> => ({
  shared: new Map(),
  personal: new Map(),
});

const sizeOf = ({ shared, personal }: Record<ScoreKind, Map<string, ScoreEntry>>): number =>
  shared.size + personal.size;
