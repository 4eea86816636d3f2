/** What a text costs besides its characters, in characters. */
const ITEM_UNITS = 256;

/** Units of work of a text: what slices are measured in. */
export const textUnits = (text: string, title = ''): number => text.length + title.length + ITEM_UNITS;

/** Where the slice ends that begins at `start`: within `most` units, but with one item at least. */
export function sliceEnd(
  units: ArrayLike<number>,
  start: number,
  most: number,
): { end: number; units: number } {
  let end = start + 1;
  let sum = units[start]!;
  while (end < units.length && sum + units[end]! <= most) sum += units[end++]!;
  return { end, units: sum };
}
