/** Bit `i` of a bitset is bit `i & 31` of word `i >>> 5`, as in `Filter.mask`. */
export type Bitset = Uint32Array;

export const wordsFor = (bits: number): number => Math.ceil(bits / 32);

/** A bitset of `bits` zeros. */
export function zeros(bits: number): Uint32Array {
  return new Uint32Array(wordsFor(bits));
}

/** A bitset of `bits` ones; the bits after them in the last word are 0. */
export function ones(bits: number): Uint32Array {
  const words = new Uint32Array(wordsFor(bits)).fill(0xffffffff);
  clearTrailing(words, bits);
  return words;
}

/** Zeroes the bits of the last word from `bits` on. */
export function clearTrailing(words: Uint32Array, bits: number): void {
  if (bits % 32 !== 0) words[words.length - 1]! &= 2 ** (bits % 32) - 1;
}

export function hasBit(words: Uint32Array, bit: number): boolean {
  return ((words[bit >>> 5]! >>> (bit & 31)) & 1) === 1;
}

export function setBit(words: Uint32Array, bit: number): void {
  words[bit >>> 5]! |= 1 << (bit & 31);
}

export function clearBit(words: Uint32Array, bit: number): void {
  words[bit >>> 5]! &= ~(1 << (bit & 31));
}

export function countBits(words: Uint32Array): number {
  let total = 0;
  for (let i = 0; i < words.length; i++) total += onesIn(words[i]!);
  return total;
}

/** How many bits of a word are 1. */
export function onesIn(word: number): number {
  let v = word - ((word >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Calls `visit` with the position of each set bit, rising. */
export function forEachBit(words: Uint32Array, visit: (i: number) => void): void {
  for (let w = 0; w < words.length; w++) {
    for (let word = words[w]!; word !== 0; word &= word - 1) {
      visit((w << 5) + 31 - Math.clz32(word & -word));
    }
  }
}
