import { clearBit, clearTrailing, countBits, hasBit, ones, setBit, wordsFor } from '../core/bitset.ts';
import { SeineError } from '../core/errors.ts';
import type { Filter } from '../core/types.ts';
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

/** Which rows may be found: filter and tombstones in one bitset, absent if all pass, and how many those are. */
export function select(
  snapshot: Snapshot,
  filter: Filter | undefined,
): { allowed: Uint32Array | undefined; passing: number } {
  const { count, live, kept } = snapshot;
  if (filter === undefined) return { allowed: kept, passing: live };
  const allowed = 'mask' in filter ? fromMask(filter.mask, count) : fromRows(filter.rows, count);
  if (kept !== undefined) {
    for (let word = 0; word < allowed.length; word++) allowed[word]! &= kept[word]!;
  }
  const passing = countBits(allowed);
  return passing === count ? { allowed: undefined, passing } : { allowed, passing };
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
  checkIds(rows, count, 'filter.rows');
  const allowed = new Uint32Array(wordsFor(count));
  for (const row of rows) setBit(allowed, row);
  return allowed;
}
