import { expect } from '@jest/globals';
import type { RescoreOptions, TopK } from '../../ts/core/types.ts';
import type { Rows } from '../../ts/device/device.ts';

/** What a search found has the same scores, to the bit, when these pairs are scored by themselves. */
export async function expectRescored(
  rows: Rows,
  queries: Float32Array,
  top: TopK,
  options: RescoreOptions,
): Promise<void> {
  const slots = Array.from(top.ids.keys()).filter(
    (slot) => slot % top.k < top.counts[Math.floor(slot / top.k)]!,
  );
  const pairs = {
    queries: Uint32Array.from(slots, (slot) => Math.floor(slot / top.k)),
    rows: Uint32Array.from(slots, (slot) => top.ids[slot]!),
  };
  const again = await rows.rescore(queries, pairs, options);
  expect(again).toEqual(Float32Array.from(slots, (slot) => top.scores[slot]!));
}
