import { type Bitset, forEachBit, onesIn } from '../core/bitset.ts';

/** Passes over bitsets, each word read once. */
export interface BitsetPasses {
  /** Clears the bits of `words` that are not in `among`, if that is given. */
  narrow(words: Uint32Array, among: Bitset | undefined): Narrowed;
  /** The positions of the bits, `count` of them, rising. */
  list(words: Bitset, count: number): Uint32Array;
}

/** Words of a block: as many as have the bits of the 256 rows that scans read, or pass over, together. */
export const BLOCK_WORDS = 8;

export interface Narrowed {
  /** Bits that are left. */
  bits: number;
  /** Blocks that hold any. */
  blocks: number;
}

/** What the time of a filtered search depends on. */
export interface PassingShape {
  /** Rows that pass. */
  passing: number;
  /** Blocks of the bitset that hold any of them. */
  blocks: number;
  /** Rows of the snapshot. */
  count: number;
}

/** In JavaScript, for devices without the addon. */
export const bitsetPasses: BitsetPasses = {
  narrow(words, among) {
    const left: Narrowed = { bits: 0, blocks: 0 };
    for (let start = 0; start < words.length; start += BLOCK_WORDS) {
      const before = left.bits;
      for (let i = start; i < Math.min(start + BLOCK_WORDS, words.length); i++) {
        if (among !== undefined) words[i]! &= among[i]!;
        left.bits += onesIn(words[i]!);
      }
      if (left.bits > before) left.blocks++;
    }
    return left;
  },
  list(words, count) {
    const positions = new Uint32Array(count);
    let next = 0;
    forEachBit(words, (position) => {
      positions[next++] = position;
    });
    return positions;
  },
};
