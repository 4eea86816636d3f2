import { join } from 'node:path';
import { writeAtomic } from '../../core/files.ts';
import { readItems } from './collection.ts';
import { jsonLines, readJsonLines } from './jsonl.ts';
import { nearDuplicates } from './nearDuplicates.ts';
import type { DistillRecipe } from './recipe.ts';
import type { Stage } from './stage.ts';
import type { TrainingLine } from './trainStage.ts';

const TEXTS = 'texts.jsonl';

/** Keeps the further texts of a recipe that are not nearly a dev or a test query of any collection. */
export function textStage({ collections, duplicates, texts }: DistillRecipe): Stage {
  const held = collections.flatMap(({ name, dev, test }) =>
    Object.entries({ dev, test }).flatMap(([split, files]) =>
      files ? [[`${name}.${split}`, files.queries] as const] : [],
    ),
  );
  return {
    name: 'texts',
    options: { duplicates },
    inputs: { texts: texts!, ...Object.fromEntries(held) },
    async run(directory) {
      const read = async (path: string) => (await readItems(path)).map(({ text }) => text);
      const all = await read(texts!);
      const queries = (await Promise.all(held.map(([, path]) => read(path)))).flat();
      const gone = new Set(nearDuplicates(all, queries, duplicates).map(({ text }) => text));
      await writeAtomic(join(directory, TEXTS), jsonLines(all.filter((_, i) => !gone.has(i))));
    },
  };
}

/** The texts as lines without grades, of a query and `documents` others of about equal lengths; a rest is left out. */
export async function textLines(directory: string, documents: number): Promise<TrainingLine[]> {
  const size = 1 + documents;
  const texts = (await readJsonLines<string>(join(directory, TEXTS))).sort((a, b) => a.length - b.length);
  return Array.from({ length: Math.floor(texts.length / size) }, (_, i) => {
    const [query, ...others] = texts.slice(i * size, (i + 1) * size);
    return { query: query!, documents: others, grades: others.map(() => null) };
  });
}
