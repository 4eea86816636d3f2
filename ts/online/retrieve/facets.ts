import { type Bitset, forEachBit } from '../../core/bitset.ts';
import { SeineError } from '../../core/errors.ts';
import type { AttributeType } from '../../core/types.ts';
import type { Columns } from '../../device/columns.ts';

/** How many documents have each value, most frequent first, then by value. */
export type FacetCounts = { value: string | boolean; count: number }[];

const COUNTABLE: AttributeType[] = ['keyword', 'set', 'boolean'];

/** Counts the values of one attribute over the documents of a set; a document counts once for each member of a set. */
export function countFacet(name: string, columns: Columns, documents: Bitset): FacetCounts {
  const column = columns.get(name);
  if (column.type !== 'keyword' && column.type !== 'set' && column.type !== 'boolean') {
    throw new SeineError(
      'ERR_FILTER',
      `Facets count attributes of type ${COUNTABLE.join(', ')}; "${name}" is of type ${column.type}.`,
    );
  }
  const counts = new Map<number, number>();
  const add = (value: number): void => {
    counts.set(value, (counts.get(value) ?? 0) + 1);
  };
  forEachBit(documents, (ordinal) => {
    const value = column.values[ordinal];
    if (typeof value === 'number') {
      if (value !== -1) add(value);
    } else {
      new Set(value).forEach(add);
    }
  });
  const words = column.type === 'boolean' ? [false, true] : [...column.dictionary.keys()];
  return [...counts]
    .map(([value, count]) => ({ value: words[value]!, count }))
    .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1));
}
