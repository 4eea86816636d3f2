import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomic } from '../../core/files.ts';
import { openEncoder } from '../../models/encoder.ts';
import { resolveModel } from '../../models/resolveModel.ts';
import { readItems, subjectsOf, type TextItem } from './collection.ts';
import { jsonLines, readJsonLines } from './jsonl.ts';
import type { Scored } from './lexicalIndex.ts';
import type { Collection, DistillRecipe } from './recipe.ts';
import { retrieve } from './retrieve.ts';
import { SPLITS, type Splits } from './splitStage.ts';
import type { Stage } from './stage.ts';
import { readVectors } from './vectorStage.ts';

/** What was found for a query. */
export interface Candidates {
  split: 'train' | 'dev';
  query: string;
  /** Indices of documents and fused scores, best first. */
  found: Scored[];
}

const CANDIDATES = 'candidates.jsonl';

/**
 * Finds candidates for the training and dev queries of a collection: exact search and BM25, fused; for training queries
 * none of a held-out subject.
 */
export async function candidateStage(
  { name, corpus, train, dev, subject }: Collection,
  { candidates: { model, maxTokens, depth } }: DistillRecipe,
  directories: { vectors: string; splits: string },
  signal: AbortSignal | undefined,
): Promise<Stage> {
  const { hash } = await resolveModel(model, 'embedder');
  return {
    name: `candidates-${name}`,
    options: { model: hash, maxTokens, depth, subject },
    inputs: {
      ...directories,
      corpus,
      ...(train && { train: train.queries }),
      ...(dev && { dev: dev.queries }),
    },
    async run(directory) {
      const documents = await readItems(corpus);
      const splits: Splits = JSON.parse(await readFile(join(directories.splits, SPLITS), 'utf8'));
      const kept = splits[name]!;
      const gone = new Set(kept.dropped.documents.map(({ id }) => id));
      const heldOut = new Set(kept.heldOut);
      const isLearnt = documents.map(
        (document) =>
          !gone.has(document.id) && !subjectsOf(document, subject?.document).some((one) => heldOut.has(one)),
      );
      const encoder = await openEncoder(model, { maxTokens });
      try {
        const vectors = await readVectors(directories.vectors);
        const all: Candidates[] = [];
        for (const split of ['train', 'dev'] as const) {
          const files = { train, dev }[split];
          if (!files) continue;
          const known = new Map((await readItems(files.queries)).map((query) => [query.id, query]));
          const queries: TextItem[] = kept[split].map((id) => known.get(id)!);
          const found = await retrieve(documents, queries, { vectors, encoder, depth, signal });
          for (const [i, { fused }] of found.entries()) {
            const allowed = split === 'dev' ? fused : fused.filter(({ document }) => isLearnt[document]);
            all.push({ split, query: queries[i]!.id, found: allowed });
          }
        }
        await writeAtomic(join(directory, CANDIDATES), jsonLines(all));
      } finally {
        await encoder.close();
      }
    },
  };
}

export const readCandidates = (directory: string): Promise<Candidates[]> =>
  readJsonLines(join(directory, CANDIDATES));
