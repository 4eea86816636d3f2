import { closeSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs';
import { DatabaseSync, type DatabaseSyncInstance } from '@photostructure/sqlite';
import { SeineError } from '../core/errors.ts';
import { SCORE_KINDS, type ScoreKind, type ScoreTierState } from './scoreEntry.ts';
import type { KeyedEntry } from './scoreProtocol.ts';
import { asSeineError, type FileKind } from './wireError.ts';

/** "SeSc": the file is one of scores and nothing else. */
const APPLICATION_ID = 0x53655363;
const SCHEMA_VERSION = 1;
const MAGIC = 'SQLite format 3\0';
/** How long a statement waits for another process: a score is computed anew sooner than that. */
const BUSY_MS = 50;

/** Bytes of the file that an entry takes with its place in the index: 123 were measured over 200,000 entries. */
export const ROW_BYTES = 125;

/** Its faults in words: what it holds can be computed again. */
export const SCORE_FILE: FileKind = {
  noun: 'file of scores',
  remedies: {
    8: 'make file and directory writable, or name another file',
    11: 'it is put aside and begun anew',
    14: 'make file and directory accessible, or name another file',
    26: 'it is put aside and begun anew',
  },
};

const TRUNCATED = 1;
const QUERY_TRUNCATED = 2;

type Counts = Pick<ScoreTierState, 'hits' | 'misses' | 'evictions'>;

/** The SQLite file that keeps scores: a table of each kind, of which the oldest make room. Blocks its thread. */
export class ScoreFile {
  readonly #database: DatabaseSyncInstance;
  /** Entries of each kind at most. */
  readonly #most: number;
  readonly #entries: Record<ScoreKind, number> = { shared: 0, personal: 0 };
  readonly #counts: Record<ScoreKind, Counts> = {
    shared: { hits: 0, misses: 0, evictions: 0 },
    personal: { hits: 0, misses: 0, evictions: 0 },
  };

  private constructor(database: DatabaseSyncInstance, bytes: number) {
    this.#database = database;
    this.#most = Math.max(1, Math.floor(bytes / SCORE_KINDS.length / ROW_BYTES));
    for (const kind of SCORE_KINDS) {
      const { count } = database.prepare(`SELECT count(*) AS count FROM ${kind}`).get() as { count: number };
      this.#entries[kind] = count;
      this.#makeRoom(kind);
    }
  }

  /**
   * Opens or makes the file. One that is damaged is put aside and begun anew: it can be computed again. One that is
   * something else is left alone. Errors: ERR_CORRUPT (not a file of scores), ERR_VERSION, ERR_DISK, ERR_LOCKED.
   */
  static open(path: string, bytes: number, warn: (message: string) => void): ScoreFile {
    refuseForeign(path);
    try {
      return ScoreFile.#open(path, bytes);
    } catch (error) {
      const failure = asSeineError(error, path, SCORE_FILE);
      if (failure.code !== 'ERR_CORRUPT' || applicationOf(path) !== APPLICATION_ID) throw failure;
      return ScoreFile.renew(path, bytes, warn);
    }
  }

  /** Puts a damaged file, which must be closed, aside and begins a new one. */
  static renew(path: string, bytes: number, warn: (message: string) => void): ScoreFile {
    const aside = `${path}.damaged-${Date.now()}`;
    renameSync(path, aside);
    for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true });
    warn(`The file of scores ${path} is damaged: it was put aside as ${aside} and begun anew.`);
    return ScoreFile.#open(path, bytes);
  }

  static #open(path: string, bytes: number): ScoreFile {
    const database = new DatabaseSync(path, { timeout: BUSY_MS });
    try {
      const { user_version: version } = database.prepare('PRAGMA user_version').get() as {
        user_version: number;
      };
      // Before there is a log beside the file: its own first page must say what it is.
      if (version === 0) create(database);
      else if (version > SCHEMA_VERSION) {
        throw new SeineError(
          'ERR_VERSION',
          `The file of scores ${path} has schema version ${version}, this Seine reads up to ${SCHEMA_VERSION}: name ` +
            'another file, or install a newer Seine.',
        );
      }
      // What a crash of the machine takes away is computed again.
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cell_size_check = ON');
      return new ScoreFile(database, bytes);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  get(kind: ScoreKind, keys: string[]): KeyedEntry[] {
    const select = this.#database.prepare(`SELECT score, cuts FROM ${kind} WHERE key = ?`);
    const found: KeyedEntry[] = [];
    for (const key of keys) {
      const row = select.get(blobOf(key)) as { score: number; cuts: number } | undefined;
      if (row === undefined) continue;
      const { score, cuts } = row;
      found.push([
        key,
        { score, truncated: (cuts & TRUNCATED) !== 0, queryTruncated: (cuts & QUERY_TRUNCATED) !== 0 },
      ]);
    }
    this.#counts[kind].hits += found.length;
    this.#counts[kind].misses += keys.length - found.length;
    return found;
  }

  /** All of them or, on an error, none. */
  put(entries: Record<ScoreKind, KeyedEntry[]>): void {
    this.#database.exec('BEGIN IMMEDIATE');
    const added: Record<ScoreKind, number> = { shared: 0, personal: 0 };
    try {
      for (const kind of SCORE_KINDS) {
        const insert = this.#database.prepare(
          `INSERT OR IGNORE INTO ${kind} (key, score, cuts) VALUES (?, ?, ?)`,
        );
        for (const [key, { score, truncated, queryTruncated }] of entries[kind]) {
          const cuts = (truncated ? TRUNCATED : 0) | (queryTruncated ? QUERY_TRUNCATED : 0);
          added[kind] += insert.run(blobOf(key), score, cuts).changes;
        }
      }
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
    for (const kind of SCORE_KINDS) {
      this.#entries[kind] += added[kind];
      this.#makeRoom(kind);
    }
  }

  state(): Record<ScoreKind, ScoreTierState> {
    const of = (kind: ScoreKind): ScoreTierState => ({
      entries: this.#entries[kind],
      bytes: this.#entries[kind] * ROW_BYTES,
      limit: this.#most * ROW_BYTES,
      ...this.#counts[kind],
    });
    return { shared: of('shared'), personal: of('personal') };
  }

  close(): void {
    this.#database.close();
  }

  /** The oldest go first; their pages are used again. */
  #makeRoom(kind: ScoreKind): void {
    const surplus = this.#entries[kind] - this.#most;
    if (surplus <= 0) return;
    const sql = `DELETE FROM ${kind} WHERE id IN (SELECT id FROM ${kind} ORDER BY id LIMIT ?)`;
    const removed = this.#database.prepare(sql).run(surplus).changes;
    this.#entries[kind] -= removed;
    this.#counts[kind].evictions += removed;
  }
}

/** A key is 32 bytes as a string of as many characters. */
const blobOf = (key: string): Uint8Array => Buffer.from(key, 'latin1');

function create(database: DatabaseSyncInstance): void {
  const table = (kind: ScoreKind): string =>
    `CREATE TABLE ${kind} (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, score REAL NOT NULL, cuts INTEGER NOT NULL);`;
  database.exec(
    `BEGIN IMMEDIATE; ${SCORE_KINDS.map(table).join(' ')} PRAGMA application_id = ${APPLICATION_ID}; ` +
      `PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`,
  );
}

function refuseForeign(path: string): void {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0) return;
  if (applicationOf(path) === APPLICATION_ID) return;
  throw new SeineError(
    'ERR_CORRUPT',
    `${path} should hold scores of a ranker but is another file: name another path, or remove it.`,
  );
}

/** Which program an SQLite file says that it is of (bytes 68 to 71 of its header), -1 if it is none. */
function applicationOf(path: string): number {
  const head = Buffer.alloc(72);
  try {
    const descriptor = openSync(path, 'r');
    readSync(descriptor, head, 0, head.length, 0);
    closeSync(descriptor);
  } catch (error) {
    throw asSeineError(error, path, SCORE_FILE);
  }
  return head.toString('latin1', 0, MAGIC.length) === MAGIC ? head.readInt32BE(68) : -1;
}
