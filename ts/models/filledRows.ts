/**
 * Puts items into rows of `capacity` tokens, the longest first, each into the first row that has room for it; a longer
 * item has a row of its own. Returns indices into `lengths`.
 */
export function filledRows(lengths: readonly number[], capacity: number): number[][] {
  const rows: { items: number[]; left: number }[] = [];
  for (const i of [...lengths.keys()].sort((a, b) => lengths[b]! - lengths[a]! || a - b)) {
    const row = rows.find(({ left }) => left >= lengths[i]!);
    if (row === undefined) rows.push({ items: [i], left: capacity - lengths[i]! });
    else {
      row.items.push(i);
      row.left -= lengths[i]!;
    }
  }
  return rows.map(({ items }) => items);
}
