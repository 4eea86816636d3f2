import { SeineError } from '../core/errors.ts';
import { backUp } from './backUp.ts';
import { Connection } from './connection.ts';
import { DroppedModels } from './droppedModels.ts';
import { enterGate, insideGate, leaveGate } from './exitGate.ts';
import { FullText } from './fullText.ts';
import type { CallName, Calls, FromWorker, PackedPart, Request, WorkerSettings } from './protocol.ts';
import { Reader } from './reader.ts';
import { checkPart, readRows, segmentPath } from './segmentFile.ts';
import { SegmentKeeper } from './segmentKeeper.ts';
import { asSeineError, toWire } from './wireError.ts';
import { WriteGroup } from './writeGroup.ts';

/** Bytes of a segment file that one slice of checking reads. */
const CHECK_BYTES = 8 << 20;

type Reads = { [Name in CallName]?: (args: Calls[Name]['args']) => Calls[Name]['result'] };

/**
 * What the worker does. In every turn: the writes that wait, committed together; then the reads that wait; then one
 * slice of the work behind them (segment files, vectors of models that were dropped). Long reads come as many short
 * ones, so nothing waits for long.
 */
export class StoreServer {
  readonly #connection: Connection;
  readonly #gate: WorkerSettings['gate'];
  readonly #group: WriteGroup;
  readonly #keeper: SegmentKeeper;
  readonly #dropped: DroppedModels;
  readonly #reads: Reads;
  readonly #send: (message: FromWorker, transfer?: ArrayBuffer[]) => void;
  readonly #backups = new Set<Promise<void>>();
  /** Parts of upserts of which the last has not come. */
  readonly #staged = new Map<number, PackedPart[]>();
  #waiting: Request[] = [];
  #scheduled = false;
  #behind: Generator<void, void, void> | undefined;
  #busy = false;
  /** Something was written since it was last seen that there is no work behind the requests. */
  #mayBeDue = true;
  #closing: Request | undefined;

  constructor(settings: WorkerSettings, send: (message: FromWorker, transfer?: ArrayBuffer[]) => void) {
    const connection = Connection.open(settings.path, settings.readonly);
    this.#connection = connection;
    this.#gate = settings.gate;
    this.#send = send;
    const warn = (warning: string): void => send({ warning });
    this.#keeper = new SegmentKeeper(connection, settings.segmentRows, warn);
    this.#dropped = new DroppedModels(connection, warn);
    this.#group = new WriteGroup(connection);
    const reader = new Reader(connection);
    const fullText = new FullText(connection);
    this.#reads = {
      info: () => reader.info(),
      generation: () => reader.generation(),
      unchanged: (args) => reader.unchanged(args),
      get: (args) => reader.get(args),
      documents: (args) => reader.documents(args),
      iterate: (args) => reader.iterate(args),
      missing: (args) => reader.missing(args),
      bm25: (args) => fullText.search(args),
      changesHead: (args) => reader.changesHead(args),
      changesRemoved: (args) => reader.changesRemoved(args),
      changesDocuments: (args) => reader.changesDocuments(args),
      changesRows: (args) => reader.changesRows(args),
      stage: ({ upload, part }) => {
        this.#staged.set(upload, [...(this.#staged.get(upload) ?? []), part]);
        return undefined;
      },
      unstage: ({ upload }) => {
        this.#staged.delete(upload);
        return undefined;
      },
      segmentDrop: ({ name, reason }) => {
        this.#keeper.drop(name, reason);
        this.#mayBeDue = true;
        return undefined;
      },
      segmentCheck: ({ segment, dim, offset, crc }) =>
        checkPart(segmentPath(settings.path, segment.name), segment, dim, offset, crc, CHECK_BYTES),
      segmentRows: ({ segment, dim, first, count }) =>
        readRows(segmentPath(settings.path, segment.name), segment, dim, first, count),
    };
    try {
      if (!connection.readonly) this.#keeper.checkFiles();
    } catch (error) {
      connection.close();
      throw error;
    }
    this.#schedule();
  }

  receive(request: Request): void {
    if (request.name === 'upsert') {
      const { upload, parts } = request.args;
      parts.unshift(...(this.#staged.get(upload) ?? []));
      this.#staged.delete(upload);
    }
    this.#waiting.push(request);
    this.#schedule();
  }

  cancel(call: number): void {
    this.#waiting = this.#waiting.filter((request) => request.call !== call);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      insideGate(this.#gate, () => this.#turn());
    });
  }

  #turn(): void {
    const requests = this.#waiting;
    this.#waiting = [];
    const writes = requests.filter((request) => this.#group.takes(request.name));
    if (writes.length > 0) this.#mayBeDue = true;
    const rest = this.#group.run(writes, (request, outcome) => {
      if ('error' in outcome) this.#refuse(request, outcome.error);
      else this.#answer(request, outcome.result);
    });
    for (const request of requests) {
      if (this.#group.takes(request.name)) continue;
      if (request.name === 'close') this.#closing = request;
      else if (request.name === 'backup') this.#backUp(request.call, request.args.path);
      else this.#read(request);
    }
    this.#waiting.unshift(...rest);
    if (this.#waiting.length > 0) this.#schedule();
    else if (this.#closing !== undefined) void this.#close(this.#closing);
    else this.#goOnBehind();
  }

  #read(request: Request): void {
    try {
      const read = this.#reads[request.name] as ((args: unknown) => unknown) | undefined;
      if (read === undefined) throw new SeineError('ERR_INTERNAL', `No such request: ${request.name}.`);
      this.#answer(request, read(request.args));
    } catch (error) {
      this.#refuse(request, error);
    }
  }

  #answer({ call }: Pick<Request, 'call'>, result: unknown): void {
    this.#send({ call, result }, buffersIn(result));
  }

  #refuse({ call }: Pick<Request, 'call'>, error: unknown): void {
    this.#send({ call, error: toWire(asSeineError(error, this.#connection.path)) });
  }

  #backUp(call: number, path: string): void {
    enterGate(this.#gate);
    const backup = backUp(this.#connection.path, path).then(
      () => this.#answer({ call }, undefined),
      (error) => this.#refuse({ call }, asSeineError(error, path)),
    );
    this.#backups.add(backup);
    void backup.finally(() => {
      this.#backups.delete(backup);
      leaveGate(this.#gate);
    });
  }

  /** One slice of the work that nobody waits for. */
  #goOnBehind(): void {
    if (this.#connection.readonly || !this.#mayBeDue) return;
    try {
      this.#behind ??= this.#nextBehind();
      if (this.#behind?.next().done) this.#behind = this.#nextBehind();
    } catch (error) {
      this.#behind = undefined; // requests go on, and meet the fault themselves if it concerns them
      this.#send({ warning: asSeineError(error, this.#connection.path).message });
    }
    this.#mayBeDue = this.#behind !== undefined;
    const busy = this.#behind !== undefined;
    if (busy !== this.#busy) this.#send({ busy });
    this.#busy = busy;
    if (busy) this.#schedule();
  }

  #nextBehind(): Generator<void, void, void> | undefined {
    if (this.#dropped.due()) return this.#dropped.remove();
    return this.#keeper.due(false) ? this.#keeper.tend(false) : undefined;
  }

  async #close(request: Request): Promise<void> {
    try {
      await Promise.all(this.#backups);
      insideGate(this.#gate, () => {
        if (!this.#connection.readonly) {
          this.#behind?.return();
          for (const _ of this.#keeper.tend(true));
        }
        this.#connection.close();
        this.#answer(request, undefined);
      });
    } catch (error) {
      this.#refuse(request, error);
    }
    this.onClosed();
  }

  /** Called once the database is closed. */
  onClosed: () => void = () => {};
}

/** Buffers of typed arrays at the top of a result: they travel without a copy. */
function buffersIn(result: unknown): ArrayBuffer[] {
  if (typeof result !== 'object' || result === null) return [];
  return Object.values(result).flatMap((value) =>
    ArrayBuffer.isView(value) && value.buffer instanceof ArrayBuffer ? [value.buffer] : [],
  );
}
