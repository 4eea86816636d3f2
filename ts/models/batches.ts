/**
 * Groups items into batches of about equal lengths, longest first, so that little is padding: a batch holds as many
 * items as fit into `budget` tokens when each is padded to the longest of them, and at least one.
 * Returns indices into `lengths`.
 */
export function batches(lengths: readonly number[], budget: number): number[][] {
  const order = lengths.map((_, i) => i).sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  const groups: number[][] = [];
  let at = 0;
  while (at < order.length) {
    const longest = Math.max(1, lengths[order[at]!]!);
    const size = Math.max(1, Math.floor(budget / longest));
    groups.push(order.slice(at, at + size));
    at += size;
  }
  return groups;
}
