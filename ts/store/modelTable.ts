import { SeineError } from '../core/errors.ts';
import { expectArgument, expectInteger } from './arguments.ts';
import type { Connection } from './connection.ts';
import type { StoreModel } from './types.ts';

type ModelState = 'active' | 'building' | 'dropped';

/** A model as the database knows it. */
export interface ModelRow {
  key: number;
  model: StoreModel;
  /** Vectors of live documents. */
  liveRows: number;
}

/** The models of an index: at most one is active, at most one is being built. */
export class ModelTable {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  find(state: ModelState): ModelRow | undefined {
    const row = this.#connection.one<{
      model: number;
      name: string;
      hash: string;
      dim: number;
      max_tokens: number;
      passages: number;
      live_rows: number;
    }>('SELECT * FROM models WHERE state = ?', state);
    if (row === undefined) return undefined;
    const { name, hash, dim, max_tokens: maxTokens } = row;
    const model = { name, hash, dim, maxTokens, passages: row.passages === 1 };
    return { key: row.model, model, liveRows: row.live_rows };
  }

  /** The model that is being built; throws ERR_ARGUMENT if there is none. */
  building(): ModelRow {
    const row = this.find('building');
    if (row === undefined) {
      throw new SeineError(
        'ERR_ARGUMENT',
        `No other model is being built in ${this.#connection.path}: call beginModel first.`,
      );
    }
    return row;
  }

  add(model: StoreModel, state: ModelState): void {
    const { name, hash, dim, maxTokens, passages } = model;
    expectArgument(typeof name === 'string' && name !== '', 'model.name', 'a name', name);
    expectArgument(typeof hash === 'string' && hash !== '', 'model.hash', 'a content hash', hash);
    expectInteger(dim, 'model.dim', 1);
    expectInteger(maxTokens, 'model.maxTokens', 1);
    expectArgument(typeof passages === 'boolean', 'model.passages', 'true or false', passages);
    this.#connection.run(
      'INSERT INTO models (name, hash, dim, max_tokens, passages, state) VALUES (?, ?, ?, ?, ?, ?)',
      name,
      hash,
      dim,
      maxTokens,
      passages ? 1 : 0,
      state,
    );
  }

  setState(key: number, state: ModelState): void {
    this.#connection.run('UPDATE models SET state = ? WHERE model = ?', state, key);
  }

  addLiveRows(key: number, rows: number): void {
    this.#connection.run('UPDATE models SET live_rows = live_rows + ? WHERE model = ?', rows, key);
  }

  remove(key: number): void {
    this.#connection.run('DELETE FROM models WHERE model = ?', key);
  }
}

/** Do both models give the same vectors for the same document? */
export function sameVectors(a: StoreModel, b: StoreModel): boolean {
  return a.hash === b.hash && a.dim === b.dim && a.maxTokens === b.maxTokens && a.passages === b.passages;
}
