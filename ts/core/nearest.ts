/** Longer names than this are no slip of the hand, and the comparison is quadratic. */
const LONGEST = 60;

/**
 * Edits (insertions, deletions, substitutions, exchanges of neighbours) between two names: optimal string alignment,
 * F. J. Damerau: A technique for computer detection and correction of spelling errors, CACM 7 (1964).
 */
function edits(a: string, b: string): number {
  let last: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const exchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const least = Math.min(row[j]! + 1, next[j - 1]! + 1, substituted);
      next.push(exchanged ? Math.min(least, last[j - 2]! + 1) : least);
    }
    last = row;
    row = next;
  }
  return row[b.length]!;
}

/** The one of `names` that `name` was probably meant to be: less than half of it has to be changed. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  if (name.length > LONGEST) return undefined;
  let best: string | undefined;
  let least = name.length / 2;
  for (const candidate of names) {
    const distance = edits(name.toLowerCase(), candidate.toLowerCase());
    if (distance < least) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}
