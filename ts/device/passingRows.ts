import { type Bitset, setBit, zeros } from '../core/bitset.ts';
import { pacer } from './pacer.ts';

/** Rows that are looked at in one go. */
const SLICE = 4096;

/** The rows below `count` that pass, found on the host between turns of the event loop. */
export async function passingRows(
  passes: (row: number) => boolean,
  count: number,
  signal: AbortSignal | undefined,
): Promise<Bitset> {
  const mask = zeros(count);
  const pause = pacer(signal);
  for (let row = 0; row < count; row++) {
    if (row % SLICE === 0) await pause();
    if (passes(row)) setBit(mask, row);
  }
  return mask;
}
