/** How many of the first `count` of `rising` lie below `value`: the place of the first that does not. */
export function lowerBound(rising: Uint32Array, value: number, count = rising.length): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rising[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
