import type { RunEntry } from '../../core/types.ts';

/** Sorts in place as trec_eval does: by falling score, then by falling document id, and returns the array. */
export function trecOrder(entries: RunEntry[]): RunEntry[] {
  return entries.sort((a, b) => {
    if (a.score !== b.score) return a.score > b.score ? -1 : 1;
    return compareBytes(b.id, a.id);
  });
}

/** Order of the UTF-8 bytes, which is that of C's `strcmp`; JavaScript's own order of strings is by UTF-16 units. */
function compareBytes(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return bytewise(x) - bytewise(y);
  }
  return a.length - b.length;
}

/** Surrogates (code points from 0x10000) go above the rest of the basic plane. */
function bytewise(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
