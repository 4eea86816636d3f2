/** Bit `i` lies in word `i >> 5` at position `i & 31`, as in `Filter.mask`. */
export type Bitset = Uint32Array;

export function bitset(bits: number): Bitset {
  return new Uint32Array((bits + 31) >>> 5);
}

export function setBit(set: Bitset, i: number): void {
  set[i >>> 5]! |= 1 << (i & 31);
}

export function clearBit(set: Bitset, i: number): void {
  set[i >>> 5]! &= ~(1 << (i & 31));
}

export function hasBit(set: Bitset, i: number): boolean {
  return ((set[i >>> 5]! >>> (i & 31)) & 1) === 1;
}

/** Number of set bits. */
export function popcount(set: Bitset): number {
  let count = 0;
  for (const word of set) {
    let w = word - ((word >>> 1) & 0x55555555);
    w = (w & 0x33333333) + ((w >>> 2) & 0x33333333);
    count += Math.imul((w + (w >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  return count;
}

/** Calls `visit` with the position of each set bit, rising. */
export function forEachBit(set: Bitset, visit: (i: number) => void): void {
  for (let w = 0; w < set.length; w++) {
    for (let word = set[w]!; word !== 0; word &= word - 1) {
      visit((w << 5) + 31 - Math.clz32(word & -word));
    }
  }
}
