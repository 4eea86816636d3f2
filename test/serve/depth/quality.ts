import { readFileSync } from 'node:fs';

interface Measured {
  /** Of the ranker beside retrieval. */
  blend: number;
  depths: number[];
  /** `[queries, depths]` */
  queries: number[][];
}

/** NDCG@10 of graded job queries by ranking depth, measured by `scripts/depthQuality.mjs` at the weight `blend`. */
const measured = JSON.parse(readFileSync('test/serve/depth/quality.json', 'utf8')) as Measured;

export const QUERIES = measured.queries.length;

/** Of one query; between the depths that were measured by linear interpolation. */
export function qualityAt(query: number, depth: number): number {
  const { depths, queries } = measured;
  const above = depths.findIndex((known) => known >= depth);
  if (above < 0) throw new RangeError(`measured up to depth ${depths.at(-1)}, got ${depth}`);
  const [row, below] = [queries[query]!, Math.max(0, above - 1)];
  const share = above === below ? 0 : (depth - depths[below]!) / (depths[above]! - depths[below]!);
  return row[below]! + share * (row[above]! - row[below]!);
}
