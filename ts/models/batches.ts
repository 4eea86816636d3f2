/**
 * Groups items into batches of about equal lengths, longest first, so that little is padding: a batch holds as many
 * items as fit into `budget` tokens when each is padded to the longest of them, and at least one. A budget that is a
 * function is asked before each batch. Yields indices into `lengths`.
 */
export function* batches(
  lengths: readonly number[],
  budget: number | (() => number),
): Generator<number[], void, undefined> {
  const order = lengths.map((_, i) => i).sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  for (let at = 0; at < order.length; ) {
    const longest = Math.max(1, lengths[order[at]!]!);
    const most = typeof budget === 'number' ? budget : budget();
    const size = Math.max(1, Math.floor(most / longest));
    yield order.slice(at, at + size);
    at += size;
  }
}
