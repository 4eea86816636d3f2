import { hasBit, setBit, zeros } from '../core/bitset.ts';
import type { AttributeType, AttributeValue, Filter, FilterExpression } from '../core/types.ts';
import { type Column, Columns, readerOf } from './columns.ts';
import { pacer } from './pacer.ts';
import { compileFilter } from './reference/filter.ts';
import type { RowFilter, Snapshot } from './snapshot.ts';

/** Rows that are looked at in one go. */
const SLICE = 4096;

/**
 * The attributes of a resident's rows, in step with them. They lie on the host, for every device alike, and only grow:
 * what a search sees of the rows below its count stays, whatever is appended meanwhile.
 */
export class RowAttributes {
  readonly types: Record<string, AttributeType>;
  readonly #columns = new Columns();

  constructor(types: Record<string, AttributeType> = {}) {
    this.types = types;
    for (const [name, type] of Object.entries(types)) this.#columns.declare(name, type);
  }

  get bytes(): number {
    let bytes = 0;
    for (const [, column] of this.#columns.entries()) bytes += bytesOf(column);
    return bytes;
  }

  /** Values of rows from `first` on, checked by `copyAttributes`. */
  append(first: number, values: Record<string, readonly AttributeValue[]>): void {
    for (const [name, column] of Object.entries(values)) this.#columns.setAll(name, first, column);
  }

  /** The attributes of the rows that are not removed, which are numbered anew. */
  async kept({ count, kept }: Snapshot): Promise<RowAttributes> {
    const copy = new RowAttributes(this.types);
    const pause = pacer();
    for (const [name, column] of this.#columns.entries()) {
      const read = readerOf(column);
      let next = 0;
      for (let from = 0; from < count; from += SLICE) {
        await pause();
        const values: AttributeValue[] = [];
        for (let row = from; row < Math.min(count, from + SLICE); row++) {
          if (kept === undefined || hasBit(kept, row)) values.push(read(row));
        }
        copy.#columns.setAll(name, next, values);
        next += values.length;
      }
    }
    return copy;
  }

  /** An owned copy of a condition, found to be valid. Throws `ERR_FILTER`. */
  copyWhere(where: unknown): FilterExpression {
    compileFilter(where as FilterExpression, this.#columns);
    return structuredClone(where as FilterExpression);
  }

  /** `filter` with the condition over attributes, if it is one, answered for the first `count` rows. */
  async resolve(
    filter: Filter | undefined,
    count: number,
    signal: AbortSignal | undefined,
  ): Promise<RowFilter | undefined> {
    if (filter === undefined || !('where' in filter)) return filter;
    // Words that rows brought since the filter was checked have numbers by now.
    const { passes } = compileFilter(filter.where, this.#columns);
    const mask = zeros(count);
    const pause = pacer(signal);
    for (let row = 0; row < count; row++) {
      if (row % SLICE === 0) await pause();
      if (passes(row)) setBit(mask, row);
    }
    return { mask };
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
