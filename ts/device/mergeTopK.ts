import { SeineError, show } from '../core/errors.ts';
import { isTypedArray } from '../core/isTypedArray.ts';
import type { DeviceName, MergeOptions, TopK, TopKList } from '../core/types.ts';
import type { Found, MergeTask } from './device.ts';
import { pacer } from './pacer.ts';
import { ORDERS } from './selectTopK.ts';
import { EMPTY_ID, emptyTopK, fillTopK } from './topK.ts';
import { checkInteger, checkKeys, checkOneOf, MAX_ROWS } from './validate.ts';

/** The front of every device's `merge`: checks, an owned copy of the entries, and empty slots. */
export async function mergeTopK(
  device: DeviceName,
  merge: (task: MergeTask) => Promise<Found>,
  lists: readonly TopKList[],
  options: MergeOptions,
): Promise<TopK> {
  const known = checkKeys(options, 'options', ['k', 'order', 'firsts']);
  const k = checkInteger(known.k, 'k', 1, MAX_ROWS - 1);
  const lowest = checkOneOf(known.order, 'order', ORDERS) === 'lowest';
  if (!Array.isArray(lists) || lists.length === 0) {
    throw new SeineError('ERR_ARGUMENT', `lists must be an array of top-k lists, got ${show(lists)}.`);
  }
  lists.forEach((list, i) => {
    checkShape(list, `lists[${i}]`, (lists[0] as TopKList).counts?.length);
  });
  const firsts = checkFirsts(known.firsts, lists.length);
  const q = lists[0]!.counts.length;
  const { starts, ids, scores } = gather(lists, firsts, q);
  const totals = Uint32Array.from(
    { length: q },
    (_, query) => starts[(query + 1) * lists.length]! - starts[query * lists.length]!,
  );
  await checkOrder(starts, ids, scores, lists.length, lowest);
  const topK = emptyTopK(q, k, lowest, 0, device);
  const filled = Math.min(
    k,
    totals.reduce((most, total) => Math.max(most, total), 0),
  );
  if (filled === 0) return topK;
  const found = await merge({ ids, scores, starts, q, lists: lists.length, k: filled, lowest });
  return fillTopK(
    topK,
    found,
    filled,
    totals.map((total) => Math.min(k, total)),
  );
}

function checkShape(list: unknown, name: string, q: number | undefined): void {
  const { ids, scores, counts, k } = (list ?? {}) as Record<string, unknown>;
  if (
    !isTypedArray(ids, 'Uint32Array') ||
    !isTypedArray(scores, 'Float32Array') ||
    !isTypedArray(counts, 'Uint32Array')
  ) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `${name} must have ids and scores [q, k] and counts [q], as search and select return them, got ${show(list)}.`,
    );
  }
  const slots = checkInteger(k, `${name}.k`, 1, MAX_ROWS - 1);
  const wrong =
    counts.length !== q
      ? `has ${counts.length} queries, but lists[0] has ${q}: merge lists of the same queries`
      : ids.length !== q * slots || scores.length !== q * slots
        ? `has ${ids.length} ids and ${scores.length} scores, but ${q} queries × k = ${slots} take ${q * slots} of each`
        : undefined;
  if (wrong !== undefined) throw new SeineError('ERR_DIMENSION', `${name} ${wrong}.`);
  counts.forEach((count, query) => {
    if (count <= slots) return;
    throw new SeineError(
      'ERR_ARGUMENT',
      `${name}.counts[${query}] must be ${slots} (k) at most, got ${count}.`,
    );
  });
}

function checkFirsts(firsts: unknown, lists: number): readonly number[] {
  if (firsts === undefined) return new Array<number>(lists).fill(0);
  if (!Array.isArray(firsts) || firsts.length !== lists) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `firsts must be an array of ${lists} numbers, one for each list, got ${show(firsts)}.`,
    );
  }
  return firsts.map((first, i) => checkInteger(first, `firsts[${i}]`, 0, MAX_ROWS - 1));
}

/** Copies the entries that are there, query by query and within it list by list. */
function gather(
  lists: readonly TopKList[],
  firsts: readonly number[],
  q: number,
): Pick<MergeTask, 'ids' | 'scores' | 'starts'> {
  const total = lists.reduce((sum, { counts }) => counts.reduce((before, count) => before + count, sum), 0);
  if (total >= MAX_ROWS) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `lists hold ${total} entries, but ${MAX_ROWS - 1} can be merged at once: merge fewer queries at a time.`,
    );
  }
  const ids = new Uint32Array(total);
  const scores = new Float32Array(total);
  const starts = new Uint32Array(q * lists.length + 1);
  let next = 0;
  for (let query = 0; query < q; query++) {
    lists.forEach((list, i) => {
      starts[query * lists.length + i] = next;
      for (let slot = query * list.k; slot < query * list.k + list.counts[query]!; slot++) {
        const id = list.ids[slot]! + firsts[i]!;
        if (id >= EMPTY_ID) {
          throw new SeineError(
            'ERR_ARGUMENT',
            `lists[${i}].ids[${slot}] is ${list.ids[slot]}, which is ${id} with firsts: ids must be below ${EMPTY_ID}.`,
          );
        }
        ids[next] = id;
        scores[next++] = list.scores[slot]! + 0; // -0 is 0
      }
    });
  }
  starts[q * lists.length] = next;
  return { ids, scores, starts };
}

/** Refuses NaN, and entries that come after a worse one of their list. */
async function checkOrder(
  starts: Uint32Array,
  ids: Uint32Array,
  scores: Float32Array,
  lists: number,
  lowest: boolean,
): Promise<void> {
  const pause = pacer();
  for (let run = 0; run + 1 < starts.length; run++) {
    await pause();
    const place = `lists[${run % lists}], query ${Math.floor(run / lists)}`;
    for (let i = starts[run]!; i < starts[run + 1]!; i++) {
      const score = scores[i]!;
      const slot = i - starts[run]!;
      if (Number.isNaN(score)) {
        throw new SeineError('ERR_NOT_FINITE', `${place} holds NaN in slot ${slot}: scores must be numbers.`);
      }
      const before = scores[i - 1]!;
      const better = lowest ? score < before : score > before;
      if (slot === 0 || !(better || (score === before && ids[i]! < ids[i - 1]!))) continue;
      throw new SeineError(
        'ERR_ARGUMENT',
        `${place} is not in order: slot ${slot} (id ${ids[i]}, score ${score}) is better than slot ${slot - 1} ` +
          `(id ${ids[i - 1]}, score ${before}) with order '${lowest ? 'lowest' : 'highest'}', equal scores by rising id.`,
      );
    }
  }
}
