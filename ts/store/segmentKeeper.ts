import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection } from './connection.ts';
import { ModelTable } from './modelTable.ts';
import type { SegmentRecord } from './protocol.ts';
import { COLUMNS, littleEndian, SegmentWriter, segmentPath } from './segmentFile.ts';
import { VectorTable } from './vectorTable.ts';
import { asSeineError } from './wireError.ts';

/** Rows that one slice of work reads. */
const SLICE_ROWS = 2000;
/** A segment file holds at most this many times the rows that make one worth writing. */
const MOST_TIMES = 20;
/** On closing, this part of those rows is enough. */
const CLOSING_PART = 50;

/** A stretch of row keys to be put into one file, in the place of the `absorbed` ones. */
interface Plan {
  from: number;
  to: number;
  absorbed: SegmentRecord[];
}

/** Keeps the segment files in step with the database: copies of vectors that can be read in one go. */
export class SegmentKeeper {
  readonly #connection: Connection;
  readonly #models: ModelTable;
  readonly #vectors: VectorTable;
  readonly #rows: number;
  readonly #warn: (message: string) => void;
  /** After a failure, nothing is tried again before there is a row with this key. */
  #pausedUntil = 0;

  constructor(connection: Connection, rows: number, warn: (message: string) => void) {
    this.#connection = connection;
    this.#models = new ModelTable(connection);
    this.#vectors = new VectorTable(connection);
    this.#rows = rows;
    this.#warn = warn;
  }

  /** Forgets files that are not there any more, or not whole, and removes those that nobody knows. */
  checkFiles(): void {
    for (const { name, count, bytes } of this.#records()) {
      if (count === 0) continue;
      const size = statSync(segmentPath(this.#connection.path, name), { throwIfNoEntry: false })?.size;
      if (size !== bytes) this.drop(name, size === undefined ? 'is missing' : 'is not whole');
    }
    try {
      this.sweep();
    } catch (error) {
      this.#warn(
        `Old segment files could not be removed. ${asSeineError(error, this.#connection.path).message}`,
      );
    }
  }

  /**
   * Forgets a file, so that it is written anew by the process that may write. With a reason, it was found unusable,
   * which is worth a warning; without, it only holds too much that was deleted.
   */
  drop(name: string, reason: string | undefined): void {
    const { path, readonly } = this.#connection;
    // A file without a record was replaced in the meantime: nothing is wrong with that.
    if (this.#connection.one('SELECT 1 FROM segments WHERE name = ?', name) === undefined) return;
    if (!readonly) this.#connection.run('DELETE FROM segments WHERE name = ?', name);
    if (reason === undefined) return;
    const remedy = readonly ? 'its rows are read from the database' : 'it is written anew';
    this.#warn(`The segment file ${name} of ${path} ${reason}: ${remedy}.`);
  }

  /** Removes files that no record names. */
  sweep(): void {
    const directory = segmentPath(this.#connection.path, '.');
    if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return;
    const known = new Set(this.#records().map((record) => record.name));
    for (const file of readdirSync(directory)) {
      if (!known.has(file) && /\.(seg|tmp)$/.test(file)) rmSync(join(directory, file), { force: true });
    }
  }

  /** Is there enough to write? */
  due(closing: boolean): boolean {
    return this.#plan(closing) !== undefined;
  }

  /** Writes what is due, in slices. A failure is warned about, and leaves the database as the only copy. */
  *tend(closing: boolean): Generator<void, void, void> {
    try {
      for (let plan = this.#plan(closing); plan !== undefined; plan = this.#plan(closing)) {
        yield* this.#build(plan);
      }
      this.sweep();
    } catch (error) {
      this.#pausedUntil = this.#lastRow() + this.#rows;
      const { message } = asSeineError(error, this.#connection.path);
      this.#warn(`A segment file could not be written; the index works without it. ${message}`);
    }
  }

  #records(): SegmentRecord[] {
    return this.#connection.all(
      'SELECT name, from_row AS "from", to_row AS "to", count, bytes, crc FROM segments ORDER BY from_row',
    );
  }

  #lastRow(): number {
    return this.#connection.one<{ last: number | null }>('SELECT max(row) AS last FROM passages')?.last ?? 0;
  }

  #plan(closing: boolean): Plan | undefined {
    if (!littleEndian || this.#models.find('active') === undefined) return undefined;
    const last = this.#lastRow();
    if (last < this.#pausedUntil) return undefined;
    const records = this.#records();
    let from = 1;
    for (const record of records) {
      if (record.from > from) return this.#bounded({ from, to: record.from - 1, absorbed: [] });
      from = record.to + 1;
    }
    const fresh = last - from + 1;
    if (fresh < Math.max(1, closing ? Math.floor(this.#rows / CLOSING_PART) : this.#rows)) return undefined;
    const absorbed: SegmentRecord[] = [];
    // Small files are merged into what follows, so that there are few and each row is copied few times.
    for (const record of records.reverse()) {
      if (record.count >= 2 * (last - from + 1) || last - record.from >= MOST_TIMES * this.#rows) break;
      absorbed.push(record);
      from = record.from;
    }
    return this.#bounded({ from, to: last, absorbed });
  }

  #bounded({ from, to, absorbed }: Plan): Plan {
    return { from, to: Math.min(to, from + MOST_TIMES * this.#rows - 1), absorbed };
  }

  *#build({ from, to, absorbed }: Plan): Generator<void, void, void> {
    const connection = this.#connection;
    const active = this.#models.find('active');
    if (active === undefined) return;
    const { key } = active;
    const { dim, hash } = active.model;
    const head = yield* this.#readHead(key, from, to);
    const count = head.rows.length;
    let record: SegmentRecord = { name: `${from}-${to}.none`, from, to, count, bytes: 0, crc: 0 };
    if (count > 0) {
      mkdirSync(segmentPath(connection.path, '.'), { recursive: true });
      const writer = new SegmentWriter(segmentPath(connection.path, `${randomUUID()}.tmp`));
      let finished = false;
      try {
        for (const column of COLUMNS) {
          if (column === 'vectors') continue;
          writer.write(Uint32Array.from(head[column]));
          writer.align();
        }
        yield* this.#copyVectors(writer, head.rows, key, dim);
        const name = (crc: number): string => `${from}-${to}-${crc.toString(16).padStart(8, '0')}.seg`;
        const { bytes, crc } = writer.finish(
          (crc) => segmentPath(connection.path, name(crc)),
          count,
          dim,
          connection.counter('generation'),
          hash,
        );
        record = { name: name(crc), from, to, count, bytes, crc };
        finished = true;
      } finally {
        if (!finished) writer.abandon();
      }
    }
    if (this.#models.find('active')?.key === key) this.#commit(record, absorbed);
  }

  #commit(record: SegmentRecord, absorbed: SegmentRecord[]): void {
    const connection = this.#connection;
    const { name, from, to, count, bytes, crc } = record;
    connection.transaction(() => {
      for (const old of absorbed) connection.run('DELETE FROM segments WHERE name = ?', old.name);
      connection.run('INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?)', name, from, to, count, bytes, crc);
    });
    this.sweep();
  }

  /** Keys and offsets of live rows. */
  *#readHead(
    modelKey: number,
    from: number,
    to: number,
  ): Generator<void, { rows: number[]; docs: number[]; starts: number[]; ends: number[] }, void> {
    const head = { rows: [] as number[], docs: [] as number[], starts: [] as number[], ends: [] as number[] };
    let after = from - 1;
    while (true) {
      const slice = this.#connection.all<{ row: number; doc: number; start: number; stop: number }>(
        `SELECT row, p.doc, start, "end" AS stop FROM passages p JOIN documents d ON d.doc = p.doc
          WHERE row > ? AND row <= ? AND model = ? AND d.deleted IS NULL ORDER BY row LIMIT ?`,
        after,
        to,
        modelKey,
        SLICE_ROWS,
      );
      for (const { row, doc, start, stop } of slice) {
        head.rows.push(row);
        head.docs.push(doc);
        head.starts.push(start);
        head.ends.push(stop);
      }
      const last = slice.at(-1);
      if (last === undefined) return head;
      after = last.row;
      yield;
    }
  }

  /** Writes the vectors of `rows`; those purged in the meantime become zeros, which nobody reads any more. */
  *#copyVectors(
    writer: SegmentWriter,
    rows: readonly number[],
    modelKey: number,
    dim: number,
  ): Generator<void, void, void> {
    for (let first = 0; first < rows.length; first += SLICE_ROWS) {
      const wanted = rows.slice(first, first + SLICE_ROWS);
      const vectors = new Float32Array(wanted.length * dim);
      const found = this.#vectors.range(modelKey, dim, wanted[0]! - 1, wanted.at(-1)!, -1);
      let next = 0;
      for (const [index, row] of found.rows.entries()) {
        while (next < wanted.length && wanted[next]! < row) next++;
        if (wanted[next] === row)
          vectors.set(found.vectors.subarray(index * dim, (index + 1) * dim), next * dim);
      }
      writer.write(vectors);
      yield;
    }
  }
}
