import { inParts, type PartOptions } from '../../core/inParts.ts';
import type { CrossEncoder } from '../../models/crossEncoder.ts';
import type { TextItem } from './collection.ts';

/** What is to be scored for a query: indices of documents. */
export interface Asked {
  query: TextItem;
  documents: readonly number[];
}

/** Queries of a part. */
const SIZE = 32;

/** Scores of each query's documents by a ranker, in parts that are kept in the directory. */
export async function scorePages(
  directory: string,
  ranker: CrossEncoder,
  asked: readonly Asked[],
  documents: readonly TextItem[],
  options: Omit<PartOptions, 'size'>,
): Promise<number[][]> {
  const score = async (part: readonly Asked[]): Promise<string> => {
    const scores: number[][] = [];
    for (const { query, documents: indices } of part) {
      const texts = indices.map((index) => documents[index]!.text);
      const scored = await ranker.score(query.text, texts, { signal: options.signal });
      scores.push([...scored.scores]);
    }
    return JSON.stringify(scores);
  };
  const parts = await inParts(directory, asked, score, { ...options, size: SIZE });
  return parts.flatMap((part) => JSON.parse(part.toString()) as number[][]);
}
