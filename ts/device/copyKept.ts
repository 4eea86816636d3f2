import { hasBit } from '../core/bitset.ts';
import type { BackendRows } from './device.ts';
import { pacer } from './pacer.ts';
import type { Snapshot } from './snapshot.ts';
import { EMPTY_ID } from './topK.ts';

/** Numbers that are copied in one go. */
const SLICE = 2 ** 18;

/** Appends the rows of `from` that are not removed to `to`; returns the new id of each row, `EMPTY_ID` for removed ones. */
export async function copyKept(
  from: BackendRows,
  to: BackendRows,
  { count, live, kept }: Snapshot,
  dim: number,
): Promise<Uint32Array> {
  const remap = new Uint32Array(count).fill(EMPTY_ID);
  const ids = new Uint32Array(Math.min(live, Math.max(1, Math.floor(SLICE / dim))));
  const pause = pacer();
  let next = 0;
  let filled = 0;
  for (let row = 0; row < count; row++) {
    if (row % 4096 === 0) await pause();
    if (kept !== undefined && !hasBit(kept, row)) continue;
    remap[row] = next++;
    ids[filled++] = row;
    if (filled < ids.length && next < live) continue;
    await to.append(from.read(ids.subarray(0, filled)));
    filled = 0;
  }
  return remap;
}
