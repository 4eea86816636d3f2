import type { BitsetPasses } from './bitsetPasses.ts';
import type { NativeAddon } from './native.ts';

/** Passes of the addon: as fast in the first search as in later ones, where JavaScript is compiled by then only. */
export function nativeBitset(addon: NativeAddon): BitsetPasses {
  const totals = new Uint32Array(2);
  return {
    narrow(words, among) {
      addon.narrow(words, among, totals);
      return { bits: totals[0]!, blocks: totals[1]! };
    },
    list(words, count) {
      const positions = new Uint32Array(count);
      addon.listBits(words, positions);
      return positions;
    },
  };
}
