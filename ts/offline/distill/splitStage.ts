import { join } from 'node:path';
import { writeAtomic } from '../../core/files.ts';
import { random } from '../../core/random.ts';
import { readItems, subjectsOf, type TextItem } from './collection.ts';
import { nearDuplicates } from './nearDuplicates.ts';
import type { Collection, DistillRecipe } from './recipe.ts';
import type { Stage } from './stage.ts';

export interface Dropped {
  id: string;
  /** What it is nearly the same as. */
  twin: { collection: string; split: 'dev' | 'test'; id: string };
  similarity: number;
}

/** Which queries of a collection may be learnt from, and of which subjects nothing may. */
export interface CollectionSplit {
  /** Ids of queries to learn from, and of those to tune on. */
  train: string[];
  dev: string[];
  /** Training queries, documents of collections without a test, and dev queries that are nearly test's. */
  dropped: { train: Dropped[]; dev: Dropped[]; documents: Dropped[] };
  /** Subjects of dev and test queries that no training query has: their documents are not learnt from. */
  heldOut: string[];
}

export type Splits = Record<string, CollectionSplit>;

/** File of the stage's directory. */
export const SPLITS = 'splits.json';

interface Held {
  collection: string;
  split: 'dev' | 'test';
  item: TextItem;
}

/**
 * Keeps train, dev and test apart: drops training queries that are nearly a dev or a test query of any collection, dev
 * queries that are nearly a test query, and documents that are nearly one where the collection itself has no test. Of test
 * queries it reads the texts and subjects, for this alone; their grades are read by the evaluation.
 */
export function splitStage(recipe: DistillRecipe): Stage {
  const { collections, duplicates, seed } = recipe;
  return {
    name: 'splits',
    options: {
      duplicates,
      seed,
      collections: collections.map(({ name, subject, queries }) => ({ name, subject, queries })),
    },
    inputs: Object.fromEntries(
      collections.flatMap(({ name, train, dev, test, corpus }) => [
        ...Object.entries({ train, dev, test }).flatMap(([split, files]) =>
          files ? [[`${name}.${split}`, files.queries]] : [],
        ),
        ...(test ? [] : [[`${name}.corpus`, corpus]]),
      ]),
    ),
    async run(directory) {
      const held: Held[] = [];
      const queries = new Map<string, { train: TextItem[]; dev: TextItem[]; test: TextItem[] }>();
      for (const { name: collection, train, dev, test } of collections) {
        const read = async (files: { queries: string } | undefined) =>
          files ? readItems(files.queries) : [];
        const items = { train: await read(train), dev: await read(dev), test: await read(test) };
        queries.set(collection, items);
        for (const split of ['dev', 'test'] as const) {
          held.push(...items[split].map((item) => ({ collection, split, item })));
        }
      }
      const drop = (items: readonly TextItem[], from: readonly Held[]): Dropped[] =>
        nearDuplicates(
          items.map(({ text }) => text),
          from.map(({ item }) => item.text),
          duplicates,
        ).map(({ text, other, similarity }) => {
          const { collection, split, item } = from[other]!;
          return { id: items[text]!.id, twin: { collection, split, id: item.id }, similarity };
        });
      const ofTest = held.filter(({ split }) => split === 'test');
      const splits: Splits = {};
      for (const collection of collections) {
        const items = queries.get(collection.name)!;
        const dropped = {
          train: drop(items.train, held),
          dev: drop(items.dev, ofTest),
          documents: collection.test ? [] : drop(await readItems(collection.corpus), held),
        };
        splits[collection.name] = kept(collection, items, dropped, seed);
      }
      await writeAtomic(join(directory, SPLITS), `${JSON.stringify(splits, null, 1)}\n`);
    },
  };
}

function kept(
  { subject, queries: most }: Collection,
  items: { train: TextItem[]; dev: TextItem[]; test: TextItem[] },
  dropped: CollectionSplit['dropped'],
  seed: number,
): CollectionSplit {
  const rest = (split: 'train' | 'dev'): TextItem[] => {
    const gone = new Set(dropped[split].map(({ id }) => id));
    return items[split].filter(({ id }) => !gone.has(id));
  };
  const train = rest('train');
  const dev = rest('dev');
  const subjects = (queries: readonly TextItem[]) =>
    new Set(queries.flatMap((query) => subjectsOf(query, subject?.query)));
  const learnt = subjects(train);
  const drawn =
    most === undefined
      ? train
      : random(seed)
          .shuffle([...train])
          .slice(0, most);
  return {
    train: drawn.map(({ id }) => id),
    dev: dev.map(({ id }) => id),
    dropped,
    heldOut: [...subjects([...dev, ...items.test])].filter((name) => !learnt.has(name)).sort(),
  };
}
