/** What a text costs besides its characters, in characters. */
const ITEM_UNITS = 256;

/** Units of work of an item of so many characters or bytes: what slices are measured in. */
export const itemUnits = (size: number): number => size + ITEM_UNITS;

export const textUnits = (text: string, title = ''): number => itemUnits(text.length + title.length);

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
