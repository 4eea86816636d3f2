import { SeineError } from '../core/errors.ts';
import type { Connection } from './connection.ts';
import type { CallName, Calls, Request } from './protocol.ts';
import { asSeineError } from './wireError.ts';
import { Writer, type Written } from './writer.ts';

/** After this long a group is committed, and the writes that still wait make the next one. */
const GROUP_MS = 100;

type Writes = {
  [Name in CallName]?: (args: Calls[Name]['args'], generation: number) => Written<Calls[Name]['result']>;
};
type Outcome = { result: unknown } | { error: unknown };

/** Commits writes that wait together in one transaction; one that fails leaves no trace and does not harm the others. */
export class WriteGroup {
  readonly #connection: Connection;
  readonly #writer: Writer;
  readonly #writes: Writes;

  constructor(connection: Connection) {
    this.#connection = connection;
    const writer = new Writer(connection);
    this.#writer = writer;
    this.#writes = {
      upsert: (args, generation) => writer.upsert(args, generation),
      delete: (args, generation) => writer.delete(args, generation),
      purge: (args) => writer.purge(args),
      setModel: (args, generation) => writer.setModel(args, generation),
      beginModel: (args) => writer.beginModel(args),
      addVectors: (args) => writer.addVectors(args),
      activateModel: (args, generation) => writer.activateModel(args, generation),
      abandonModel: () => writer.abandonModel(),
    };
  }

  takes(name: CallName): boolean {
    return this.#writes[name] !== undefined;
  }

  /** Runs and commits requests in order, settles each after the commit, and returns those left for the next group. */
  run(requests: Request[], settle: (request: Request, outcome: Outcome) => void): Request[] {
    if (requests.length === 0) return [];
    if (this.#connection.readonly) {
      const error = new SeineError(
        'ERR_ARGUMENT',
        `The index ${this.#connection.path} was opened with readonly: true: open it without to write.`,
      );
      for (const request of requests) settle(request, { error });
      return [];
    }
    const until = performance.now() + GROUP_MS;
    const outcomes: Outcome[] = [];
    try {
      this.#connection.transaction(() => {
        const generation = this.#connection.counter('generation') + 1;
        let changed = false;
        for (const request of requests) {
          const written = this.#one(request, generation);
          outcomes.push(written);
          if ('result' in written && written.changed) changed = true;
          if (performance.now() > until) break;
        }
        if (changed) this.#connection.setCounter('generation', generation);
      });
    } catch (error) {
      this.#writer.forget();
      // The whole group was undone, perhaps because of one member only: each gets its own transaction.
      if (requests.length > 1) for (const request of requests) this.run([request], settle);
      else settle(requests[0]!, { error: asSeineError(error, this.#connection.path) });
      return [];
    }
    for (const [index, outcome] of outcomes.entries()) settle(requests[index]!, outcome);
    return requests.slice(outcomes.length);
  }

  #one(request: Request, generation: number): Written<unknown> | { error: unknown } {
    const { database } = this.#connection;
    database.exec('SAVEPOINT request');
    try {
      const write = this.#writes[request.name] as (args: unknown, generation: number) => Written<unknown>;
      const written = write(request.args, generation);
      database.exec('RELEASE request');
      return written;
    } catch (error) {
      // Errors such as a full disk may have undone the whole transaction already.
      if (!database.isTransaction) throw error;
      database.exec('ROLLBACK TO request; RELEASE request');
      this.#writer.forget();
      return { error };
    }
  }
}
