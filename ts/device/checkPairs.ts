import { hasBit } from '../core/bitset.ts';
import { SeineError } from '../core/errors.ts';
import type { Pairs } from '../core/types.ts';
import type { Snapshot } from './snapshot.ts';
import { checkIds, checkKeys, copyWords } from './validate.ts';

/** An owned copy of pairs; whether their queries and rows are there is checked when it is their turn. */
export function copyPairs(value: unknown): Pairs {
  const { queries, rows } = checkKeys(value, 'pairs', ['queries', 'rows']);
  const owned = { queries: copyWords(queries, 'pairs.queries'), rows: copyWords(rows, 'pairs.rows') };
  if (owned.queries.length === owned.rows.length) return owned;
  throw new SeineError(
    'ERR_DIMENSION',
    `pairs.queries and pairs.rows must be of one length, got ${owned.queries.length} and ${owned.rows.length}.`,
  );
}

/** Refuses queries and rows that are not there, or not any more. */
export function checkPairs({ queries, rows }: Pairs, q: number, { count, kept }: Snapshot): void {
  for (let i = 0; i < queries.length; i++) {
    if (queries[i]! < q) continue;
    throw new SeineError(
      'ERR_ARGUMENT',
      `pairs.queries[${i}] is ${queries[i]}, but there are ${q} queries: it must be below ${q}.`,
    );
  }
  checkIds(rows, count, 'pairs.rows');
  const removed = kept === undefined ? -1 : rows.findIndex((row) => !hasBit(kept, row));
  if (removed < 0) return;
  throw new SeineError(
    'ERR_ARGUMENT',
    `pairs.rows[${removed}] is ${rows[removed]}, a row that was removed: leave it out.`,
  );
}
