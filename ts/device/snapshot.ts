import { clearBit, clearTrailing, hasBit, ones, setBit, wordsFor, zeros } from '../core/bitset.ts';
import { SeineError } from '../core/errors.ts';
import type { Filter } from '../core/types.ts';
import { bitsetPasses } from './bitsetPasses.ts';
import type { BackendRows, SearchTask } from './device.ts';
import { checkIds } from './validate.ts';

/** What a search sees. Never changed in place: a mutation makes a new one. */
export interface Snapshot {
  /** Rows ever appended. */
  readonly count: number;
  /** Rows that are not removed. */
  readonly live: number;
  readonly generation: number;
  /** Bitset of the rows that are not removed; absent while none is. */
  readonly kept: Uint32Array | undefined;
}

/** A device without a measure of its own gets a list where at most one row in this many passes. */
const LIST_SHARE = 16;
/** Lists of up to one row in this many are sorted; for longer ones a bitset is faster. */
const SORT_SHARE = 1024;

export const emptySnapshot: Snapshot = { count: 0, live: 0, generation: 0, kept: undefined };

/** The snapshot after `rows` more rows; the generation is left to the caller. */
export function appended(before: Snapshot, rows: number): Snapshot {
  const count = before.count + rows;
  let kept = before.kept;
  if (kept !== undefined) {
    const grown = ones(count);
    grown.set(kept);
    for (let row = before.count; row < Math.min(count, kept.length * 32); row++) setBit(grown, row);
    kept = grown;
  }
  return { count, live: before.live + rows, generation: before.generation, kept };
}

/** The snapshot after the removal of `ids`, all of them existing rows. */
export function removed(before: Snapshot, ids: Uint32Array): Snapshot {
  const kept = before.kept?.slice() ?? ones(before.count);
  let live = before.live;
  for (const id of ids) {
    if (!hasBit(kept, id)) continue;
    clearBit(kept, id);
    live--;
  }
  return {
    count: before.count,
    live,
    generation: before.generation + 1,
    kept: live === before.count ? undefined : kept,
  };
}

/** A filter that says of each row whether it may pass. */
export type RowFilter = Exclude<Filter, { where: unknown }>;

/** Which rows may be found: filter and tombstones in one. See `SearchTask`. */
export type Passing = Pick<SearchTask, 'allowed' | 'rows' | 'passing'>;

/** What decides in which form a device gets the rows that pass. */
export type Forms = Pick<BackendRows, 'bitsets' | 'listPays'>;

/** As a list where that pays, however the filter was given, else as a bitset. */
export function select(snapshot: Snapshot, filter: RowFilter | undefined, forms: Forms): Passing {
  const { count, live, kept } = snapshot;
  if (filter === undefined) return listedIfItPays(kept, live, count, forms);
  if ('rows' in filter) {
    checkIds(filter.rows, count, 'filter.rows');
    if (filter.rows.length <= count / SORT_SHARE) return listed(sortedRows(filter.rows, kept));
  }
  const allowed = 'mask' in filter ? fromMask(filter.mask, count) : fromRows(filter.rows, count);
  const { bits, blocks } = (forms.bitsets ?? bitsetPasses).narrow(allowed, kept);
  return listedIfItPays(allowed, bits, count, forms, blocks);
}

const listed = (rows: Uint32Array): Passing => ({ allowed: undefined, rows, passing: rows.length });

/** Rows of a bitset, `passing` of them in `blocks` blocks, which are counted if that is not known. */
export function listedIfItPays(
  allowed: Uint32Array | undefined,
  passing: number,
  count: number,
  { bitsets = bitsetPasses, listPays = fewPass }: Forms,
  blocks?: number,
): Passing {
  if (allowed === undefined || passing === count) return { allowed: undefined, rows: undefined, passing };
  const pays = listPays({ passing, blocks: blocks ?? bitsets.narrow(allowed, undefined).blocks, count });
  return pays ? listed(bitsets.list(allowed, passing)) : { allowed, rows: undefined, passing };
}

const fewPass: NonNullable<Forms['listPays']> = ({ passing, count }) => passing <= count / LIST_SHARE;

/** Each of the rows that is not removed once, rising. */
function sortedRows(given: Uint32Array, kept: Uint32Array | undefined): Uint32Array {
  const rows = given.slice().sort();
  let next = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    if (row === rows[next - 1] || (kept !== undefined && !hasBit(kept, row))) continue;
    rows[next++] = row;
  }
  return rows.slice(0, next);
}

function fromMask(mask: Uint32Array, count: number): Uint32Array {
  const words = wordsFor(count);
  if (mask.length < words) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `filter.mask must have a bit for each of the ${count} rows, which takes ${words} words, got ${mask.length}.`,
    );
  }
  const allowed = mask.subarray(0, words);
  clearTrailing(allowed, count);
  return allowed;
}

function fromRows(rows: Uint32Array, count: number): Uint32Array {
  const allowed = zeros(count);
  for (const row of rows) setBit(allowed, row);
  return allowed;
}
