import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type DatabaseSyncInstance, type StatementSyncInstance } from '@photostructure/sqlite';
import { SeineError } from '../core/errors.ts';
import { APPLICATION_ID, SCHEMA, SCHEMA_VERSION } from './schema.ts';
import { asSeineError } from './wireError.ts';

type Value = string | number | bigint | Uint8Array | null;

/** How long a statement waits for another process that recovers or checkpoints the file. */
const BUSY_MS = 10_000;
const MAGIC = 'SQLite format 3\0';

/** One open index file: its database with prepared statements, and the lock that makes it the only writer. */
export class Connection {
  readonly path: string;
  readonly readonly: boolean;
  readonly database: DatabaseSyncInstance;
  readonly #lock: DatabaseSyncInstance | undefined;
  readonly #statements = new Map<string, StatementSyncInstance>();

  private constructor(path: string, database: DatabaseSyncInstance, lock: DatabaseSyncInstance | undefined) {
    this.path = path;
    this.readonly = lock === undefined;
    this.database = database;
    this.#lock = lock;
  }

  static open(path: string, readonly: boolean): Connection {
    inspect(path, readonly);
    const lock = readonly ? undefined : lockWriter(path);
    let database: DatabaseSyncInstance | undefined;
    try {
      database = readonly ? openReadonly(path) : new DatabaseSync(path, { timeout: BUSY_MS });
      const connection = new Connection(path, database, lock);
      database.exec('PRAGMA cell_size_check = ON');
      connection.#checkKind();
      if (!readonly) connection.#prepareWriting();
      return connection;
    } catch (error) {
      database?.close();
      lock?.close();
      throw asSeineError(error, path);
    }
  }

  /** Refuses files that are no index or are newer; makes the tables of a new one. */
  #checkKind(): void {
    const application = this.#pragma('application_id');
    const version = this.#pragma('user_version');
    const tables = this.one<{ count: number }>('SELECT count(*) AS count FROM sqlite_schema')?.count ?? 0;
    if (application === 0 && version === 0 && tables === 0) {
      if (this.readonly) {
        throw new SeineError(
          'ERR_NOT_FOUND',
          `${this.path} is empty: open it for writing once to make an index.`,
        );
      }
      this.#create();
    } else if (application !== APPLICATION_ID || version < 1) {
      throw new SeineError(
        'ERR_CORRUPT',
        `${this.path} is a SQLite file but not an index of Seine: name another path.`,
      );
    } else if (version > SCHEMA_VERSION) {
      throw new SeineError(
        'ERR_VERSION',
        `${this.path} has schema version ${version}, this Seine reads up to ${SCHEMA_VERSION}: install a newer Seine.`,
      );
    }
  }

  #create(): void {
    this.database.exec('PRAGMA page_size = 8192');
    this.database.exec('PRAGMA journal_mode = WAL');
    this.database.exec('PRAGMA synchronous = FULL');
    this.database.exec(`BEGIN IMMEDIATE; ${SCHEMA}; COMMIT`);
  }

  #prepareWriting(): void {
    this.database.exec('PRAGMA journal_mode = WAL');
    this.database.exec('PRAGMA synchronous = FULL');
    this.database.exec('PRAGMA journal_size_limit = 67108864');
    // SQLite opens a file that cannot be written for reading only, without a word: try a write now, and undo it.
    this.database.exec('BEGIN IMMEDIATE; UPDATE counters SET value = value; ROLLBACK');
  }

  #pragma(name: string): number {
    return Number(this.one<Record<string, number>>(`PRAGMA ${name}`)?.[name] ?? 0);
  }

  /** The prepared statement of `sql`, kept for the next time. */
  statement(sql: string): StatementSyncInstance {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  one<Row>(sql: string, ...values: Value[]): Row | undefined {
    return this.statement(sql).get(...values) as Row | undefined;
  }

  all<Row>(sql: string, ...values: Value[]): Row[] {
    return this.statement(sql).all(...values) as Row[];
  }

  /** Runs a statement and returns how many rows it changed. */
  run(sql: string, ...values: Value[]): number {
    return this.statement(sql).run(...values).changes;
  }

  /** A counter of the index: `generation`, `complete_since` or `documents`. */
  counter(name: CounterName): number {
    return this.one<{ value: number }>('SELECT value FROM counters WHERE name = ?', name)?.value ?? 0;
  }

  setCounter(name: CounterName, value: number): void {
    this.run('UPDATE counters SET value = ? WHERE name = ?', value, name);
  }

  /** Runs `work` so that all its reads see one state. */
  snapshot<T>(work: () => T): T {
    this.database.exec('BEGIN');
    try {
      return work();
    } finally {
      this.database.exec('COMMIT');
    }
  }

  /** Runs `work` in a transaction, committed when this returns; undone if it throws. */
  transaction<T>(work: () => T): T {
    this.database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.database.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.database.isTransaction) this.database.exec('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    this.#statements.clear();
    this.database.close();
    this.#lock?.close();
  }
}

export type CounterName = 'generation' | 'complete_since' | 'documents';

/** Looks at the file before anything is made beside it. */
function inspect(path: string, readonly: boolean): void {
  const file = statSync(path, { throwIfNoEntry: false });
  if (file === undefined) {
    const directory = dirname(path);
    if (readonly) {
      throw new SeineError('ERR_NOT_FOUND', `There is no index at ${path}: make one by ingesting documents.`);
    }
    if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
      throw new SeineError('ERR_NOT_FOUND', `There is no directory ${directory}: make it first.`);
    }
    return;
  }
  if (!file.isFile()) {
    throw new SeineError('ERR_ARGUMENT', `The path of an index must be a file, ${path} is none.`);
  }
  if (file.size === 0) return;
  const head = Buffer.alloc(MAGIC.length);
  try {
    const descriptor = openSync(path, 'r');
    readSync(descriptor, head, 0, head.length, 0);
    closeSync(descriptor);
  } catch (error) {
    throw asSeineError(error, path);
  }
  if (head.toString('latin1') !== MAGIC) {
    throw new SeineError(
      'ERR_CORRUPT',
      `${path} is not an index, or its beginning is damaged: name another path or restore a backup.`,
    );
  }
}

/**
 * The right to write lies in a lock on a file beside the index that the operating system releases when the process
 * ends, however it ends. The file stays: removing it would let two processes hold locks on two files of one name.
 */
function lockWriter(path: string): DatabaseSyncInstance {
  let lock: DatabaseSyncInstance | undefined;
  try {
    lock = new DatabaseSync(`${path}.lock`, { timeout: 0 });
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock?.close();
    if (((error as { errcode?: number }).errcode ?? 0) % 256 === 5) {
      throw new SeineError(
        'ERR_LOCKED',
        `Another process, or this one, has the index ${path} open for writing: close it there, or open it with ` +
          'readonly: true.',
      );
    }
    throw asSeineError(error, path);
  }
}

/**
 * Where the files that readers share cannot be made (a read-only medium) and no writer has left a log, nobody can be
 * writing, so the file may be read as one that does not change.
 */
function openReadonly(path: string): DatabaseSyncInstance {
  const database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS });
  try {
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
    return database;
  } catch (error) {
    database.close();
    const primary = ((error as { errcode?: number }).errcode ?? 0) & 0xff;
    const hasLog = (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
    if ((primary !== 14 && primary !== 8) || hasLog) throw error;
    const uri = `file:${encodeURI(path).replace(/[?#]/g, encodeURIComponent)}?immutable=1`;
    return new DatabaseSync(uri, { readOnly: true });
  }
}
