import { readLines } from '../../core/readLines.ts';

/** Objects as lines of JSON, for `writeAtomic`: they need not lie in memory as one text. */
export async function* jsonLines(items: Iterable<unknown>): AsyncGenerator<string> {
  for (const item of items) yield `${JSON.stringify(item)}\n`;
}

/** Reads what a stage wrote by `jsonLines`. */
export async function readJsonLines<T>(path: string): Promise<T[]> {
  const items: T[] = [];
  for await (const { text } of readLines(path)) items.push(JSON.parse(text));
  return items;
}
