import { hasBit } from '../core/bitset.ts';
import type { AttributeType, AttributeValue, Filter, FilterExpression } from '../core/types.ts';
import { type Column, Columns, readerOf } from './columns.ts';
import { columnWords } from './columnWords.ts';
import type { BackendRows } from './device.ts';
import { filterProgram } from './filterProgram.ts';
import { pacer } from './pacer.ts';
import { passingRows } from './passingRows.ts';
import { compileFilter } from './reference/filter.ts';
import { listedIfItPays, type Passing, type Snapshot, select } from './snapshot.ts';

/** Rows that are copied in one go. */
const SLICE = 4096;
/** Rows whose words go to the device at once. */
const WRITTEN = 2 ** 16;

/**
 * The attributes of a resident's rows, in step with them: on the host, which keeps words and points, and as columns
 * beside the rows on a device that evaluates filters. They only grow: what a search sees of the rows below its count
 * stays, whatever is appended meanwhile.
 */
export class RowAttributes {
  readonly types: Record<string, AttributeType>;
  readonly #backend: BackendRows;
  readonly #columns = new Columns();
  /** Members of each column of sets: those of the rows there are, and with those that are being written. */
  #members = new Map<string, number>();
  #written = new Map<string, number>();

  constructor(backend: BackendRows, types: Record<string, AttributeType> = {}) {
    this.types = types;
    this.#backend = backend;
    for (const [name, type] of Object.entries(types)) this.#columns.declare(name, type);
  }

  /** On the host; the device counts its own. */
  get bytes(): number {
    let bytes = 0;
    for (const [, column] of this.#columns.entries()) bytes += bytesOf(column);
    return bytes;
  }

  /**
   * Writes values of `rows` rows from `first` on, checked by `copyAttributes`, to the device. Unless `append` follows
   * they are written over by the next.
   */
  async write(first: number, rows: number, values: Record<string, readonly AttributeValue[]>): Promise<void> {
    const backend = this.#backend;
    if (backend.writeColumn === undefined) return;
    const given = new Map(Object.entries(values)); // an attribute may be called 'constructor'
    this.#written = new Map(this.#members);
    for (const [place, [name, column]] of [...this.#columns.entries()].entries()) {
      if (column.type === 'geo') continue;
      for (let from = 0; from < rows; from += WRITTEN) {
        const count = Math.min(WRITTEN, rows - from);
        const members = this.#written.get(name) ?? 0;
        const part = given.get(name)?.slice(from, from + count);
        const [words, more] = columnWords(column, part, count, members);
        await backend.writeColumn(2 * place, first + from, words);
        if (more.length === 0) continue;
        await backend.writeColumn(2 * place + 1, column.type === 'set' ? members : first + from, more);
        if (column.type === 'set') this.#written.set(name, members + more.length);
      }
    }
  }

  /** The rows that were written are there. */
  append(first: number, values: Record<string, readonly AttributeValue[]>): void {
    for (const [name, column] of Object.entries(values)) this.#columns.setAll(name, first, column);
    this.#members = this.#written;
  }

  /** The attributes of the rows that are not removed, which are numbered anew, beside the rows of `backend`. */
  async kept({ count, kept }: Snapshot, backend: BackendRows): Promise<RowAttributes> {
    const copy = new RowAttributes(backend, this.types);
    const readers = [...this.#columns.entries()].map(([name, column]) => ({ name, read: readerOf(column) }));
    const pause = pacer();
    let next = 0;
    for (let from = 0; from < count && readers.length > 0; from += SLICE) {
      await pause();
      const rows: number[] = [];
      for (let row = from; row < Math.min(count, from + SLICE); row++) {
        if (kept === undefined || hasBit(kept, row)) rows.push(row);
      }
      const values = Object.fromEntries(readers.map(({ name, read }) => [name, rows.map(read)]));
      await copy.write(next, rows.length, values);
      copy.append(next, values);
      next += rows.length;
    }
    return copy;
  }

  /** An owned copy of a condition, found to be valid. Throws `ERR_FILTER`. */
  copyWhere(where: unknown): FilterExpression {
    compileFilter(where as FilterExpression, this.#columns);
    return structuredClone(where as FilterExpression);
  }

  /** The rows of a snapshot that may be found; a condition over attributes is answered by the device, if it does that. */
  async passing(
    filter: Filter | undefined,
    snapshot: Snapshot,
    signal: AbortSignal | undefined,
  ): Promise<Passing> {
    if (filter === undefined || !('where' in filter)) return select(snapshot, filter, this.#backend);
    const { count } = snapshot;
    // Words that rows brought since the filter was checked have numbers by now.
    const clause = compileFilter(filter.where, this.#columns);
    if (count === 0 || this.#backend.filter === undefined) {
      const mask = await passingRows(clause.passes, count, signal);
      return select(snapshot, { mask }, this.#backend);
    }
    const program = await filterProgram(clause, this.#columns, snapshot, signal);
    const { mask, passing } = await this.#backend.filter({ program, count, signal });
    signal?.throwIfAborted();
    return listedIfItPays(mask, passing, count, this.#backend);
  }
}

/** Of sets and points, 8 for each number and each row's reference; of a word, its UTF-16 code units. */
function bytesOf(column: Column): number {
  let bytes = 0;
  if ('dictionary' in column) for (const word of column.dictionary.keys()) bytes += 2 * word.length;
  if (column.type === 'set') {
    for (const members of column.values) bytes += 8 + 8 * (members?.length ?? 0);
    return bytes;
  }
  if (column.type === 'geo') return 24 * column.values.length;
  return bytes + column.values.byteLength;
}
