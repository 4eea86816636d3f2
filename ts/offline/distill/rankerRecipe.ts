import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { SeineError } from '../../core/errors.ts';
import { random } from '../../core/random.ts';
import type { AdamW } from '../../device/reference/adamW.ts';
import type { TextItem } from './collection.ts';

/** How a ranker is made; paths are relative to the repository's root. */
export interface RankerRecipe {
  name: string;
  /** Directory of the pretrained BERT. */
  base: string;
  /** Its layers that the ranker keeps, from below. */
  layers: number[];
  /** Graph of the static embedder that mines candidates. */
  embedder: string;
  seed: number;
  steps: number;
  warmup: number;
  /** Learning rate at the end of the warm-up. */
  peak: number;
  optimizer: AdamW;
  /** Documents of a list. */
  groupSize: number;
  /** Length of each candidate list, and of the lists fused for tuning. */
  depth: number;
  collection: {
    corpus: string;
    queries: string;
    qrels: string;
    /** Metadata field that documents of one kind share. */
    kin: string;
    /** Queries kept from training, for the blend weight. */
    heldOut: number;
    /** Lists of a step. */
    lists: number;
    maxTokens: number;
  };
  wordnet: {
    directory: string;
    /** Each so many steps, one is of WordNet. */
    every: number;
    lists: number;
    maxTokens: number;
  };
}

/** Reads a recipe; `identity` is the hash of its content. */
export async function readRecipe(path: string): Promise<{ recipe: RankerRecipe; identity: string }> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new SeineError('ERR_NOT_FOUND', `A recipe should be readable at ${path}: check the path.`, {
      cause: error,
    });
  }
  return { recipe: JSON.parse(text), identity: createHash('sha256').update(text).digest('hex') };
}

/** Splits training queries into those to learn from and those held out, the same on each call. */
export function splitQueries(
  queries: readonly TextItem[],
  { seed, collection }: RankerRecipe,
): { learn: TextItem[]; heldOut: TextItem[] } {
  const shuffled = random(seed).shuffle([...queries]);
  return { learn: shuffled.slice(collection.heldOut), heldOut: shuffled.slice(0, collection.heldOut) };
}
