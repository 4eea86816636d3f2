import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SeineError } from '../../core/errors.ts';
import { writeAtomic } from '../../core/files.ts';
import { random } from '../../core/random.ts';
import type { Qrels } from '../../core/types.ts';
import { readCandidates } from './candidateStage.ts';
import { readGrades, readItems } from './collection.ts';
import { type Bucket, drawList } from './drawList.ts';
import { jsonLines, readJsonLines } from './jsonl.ts';
import type { Collection, DistillRecipe } from './recipe.ts';
import { SPLITS, type Splits } from './splitStage.ts';
import type { Stage } from './stage.ts';

/** A training query with the documents that it is learnt from. */
export interface DrawnList {
  query: string;
  /** Ids. */
  documents: string[];
  grades: number[];
  buckets: Bucket[];
}

const LISTS = 'lists.jsonl';

/** Draws a list for each training query of a collection, by the recipe's policy. */
export function listStage(
  { name, corpus, train, judged, subject }: Collection,
  { candidates, seed }: DistillRecipe,
  directories: { candidates: string; splits: string },
): Stage {
  const { model: _, maxTokens: __, ...policy } = candidates;
  return {
    name: `lists-${name}`,
    options: { policy, seed, subject },
    inputs: { ...directories, corpus, qrels: train!.qrels, ...(judged !== undefined && { judged }) },
    async run(directory) {
      const documents = await readItems(corpus);
      const qrels = await gradesOf(train!.qrels, judged);
      const splits: Splits = JSON.parse(await readFile(join(directories.splits, SPLITS), 'utf8'));
      const { heldOut, dropped } = splits[name]!;
      const pool = {
        documents,
        byId: new Map(documents.map(({ id }, i) => [id, i])),
        subject: subject?.document,
        heldOut: new Set(heldOut),
        dropped: new Set(dropped.documents.map(({ id }) => id)),
      };
      const generator = random(seed);
      const lists: DrawnList[] = [];
      for (const { split, query, found } of await readCandidates(directories.candidates)) {
        if (split !== 'train') continue;
        const drawn = drawList({ grades: qrels.get(query) ?? new Map(), found }, pool, policy, generator);
        if (drawn === undefined) continue;
        lists.push({
          query,
          documents: drawn.map(({ index }) => documents[index]!.id),
          grades: drawn.map(({ grade }) => grade),
          buckets: drawn.map(({ bucket }) => bucket),
        });
      }
      if (lists.length === 0) {
        throw new SeineError(
          'ERR_DATA',
          `The collection ${name} should have training queries with relevant documents, but none has any that may be ` +
            'learnt from: check that qrels, queries and corpus belong together.',
        );
      }
      await writeAtomic(join(directory, LISTS), jsonLines(lists));
    },
  };
}

/** People's grades and, where there is none, a judge's. */
export async function gradesOf(qrels: string, judged: string | undefined): Promise<Qrels> {
  const grades = await readGrades(qrels);
  if (judged === undefined) return grades;
  for (const [query, documents] of await readGrades(judged)) {
    const known = grades.get(query) ?? new Map<string, number>();
    grades.set(query, known);
    for (const [document, grade] of documents) if (!known.has(document)) known.set(document, grade);
  }
  return grades;
}

export const readLists = (directory: string): Promise<DrawnList[]> => readJsonLines(join(directory, LISTS));
