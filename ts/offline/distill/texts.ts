import { readItems } from './collection.ts';
import type { Collection } from './recipe.ts';

/** Texts of a collection by id. */
export interface Texts {
  documents: ReadonlyMap<string, string>;
  queries: ReadonlyMap<string, string>;
}

/** Reads the documents and the queries of a split. */
export async function readTexts(
  { corpus, train, dev }: Collection,
  split: 'train' | 'dev' = 'train',
): Promise<Texts> {
  const files = { train, dev }[split]!;
  const byId = async (path: string) => new Map((await readItems(path)).map(({ id, text }) => [id, text]));
  return { documents: await byId(corpus), queries: await byId(files.queries) };
}
