/** Tokens of a batch, padding included, from which on a larger one is hardly quicker. */
const ENOUGH = 256;
/** Share of padding that a batch of more tokens may have. */
const MOST_PADDING = 0.05;

/**
 * Groups items into batches of about equal lengths, longest first, so that little is padding: a batch holds as many
 * items as fit into `budget` tokens when each is padded to the longest of them, and at least one; beyond 256 tokens only
 * as many as leave 5 % of padding at most. A budget that is a function is asked before each batch. Yields indices into
 * `lengths`.
 */
export function* batches(
  lengths: readonly number[],
  budget: number | (() => number),
): Generator<number[], void, undefined> {
  const order = lengths.map((_, i) => i).sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  for (let at = 0; at < order.length; ) {
    const longest = Math.max(1, lengths[order[at]!]!);
    const most = typeof budget === 'number' ? budget : budget();
    let size = 1;
    let padding = longest - lengths[order[at]!]!;
    while (at + size < order.length && (size + 1) * longest <= most) {
      padding += longest - lengths[order[at + size]!]!;
      const tokens = (size + 1) * longest;
      if (tokens > ENOUGH && padding > MOST_PADDING * tokens) break;
      size++;
    }
    yield order.slice(at, at + size);
    at += size;
  }
}
