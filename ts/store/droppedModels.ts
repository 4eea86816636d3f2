import type { Connection } from './connection.ts';
import { ModelTable } from './modelTable.ts';
import { asSeineError } from './wireError.ts';

/** Rows that one slice removes. */
const SLICE_ROWS = 2000;

/** Removes the vectors of models that were replaced or abandoned. */
export class DroppedModels {
  readonly #connection: Connection;
  readonly #models: ModelTable;
  readonly #warn: (message: string) => void;
  #failed = false;

  constructor(connection: Connection, warn: (message: string) => void) {
    this.#connection = connection;
    this.#models = new ModelTable(connection);
    this.#warn = warn;
  }

  due(): boolean {
    return !this.#failed && this.#models.find('dropped') !== undefined;
  }

  /** Removes one model's vectors in slices. After a failure, the next opening tries again. */
  *remove(): Generator<void, void, void> {
    const connection = this.#connection;
    const modelKey = this.#models.find('dropped')!.key;
    let after = 0;
    try {
      while (true) {
        const last = connection.one<{ last: number | null }>(
          'SELECT max(row) AS last FROM (SELECT row FROM passages WHERE row > ? ORDER BY row LIMIT ?)',
          after,
          SLICE_ROWS,
        )?.last;
        if (typeof last !== 'number') break;
        connection.run(
          'DELETE FROM passages WHERE row > ? AND row <= ? AND model = ?',
          after,
          last,
          modelKey,
        );
        after = last;
        yield;
      }
      this.#models.remove(modelKey);
    } catch (error) {
      this.#failed = true;
      const { message } = asSeineError(error, connection.path);
      this.#warn(`Vectors of a former model could not be removed; the next opening tries again. ${message}`);
    }
  }
}
