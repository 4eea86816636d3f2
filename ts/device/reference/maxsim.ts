import { hasBit } from '../../core/bitset.ts';
import type { AskedQueries, Found, MaxsimPairs, MaxsimTask } from '../device.ts';
import { pacer } from '../pacer.ts';
import { BestRows } from './bestRows.ts';
import { chunkOf } from './readRows.ts';
import { numberScorer } from './rowScorer.ts';
import { type Chunk, drain, rowsPerBlock } from './scan.ts';
import { exactScore } from './score.ts';

/** The canonical score of a document whose tokens are rows `from` to `to`, for query `query`. */
type DocumentScorer = (query: number, from: number, to: number) => number;

/** The meaning of maxsim: score every allowed document, keep the k best. */
export async function maxsim(chunks: readonly Chunk[], dim: number, task: MaxsimTask): Promise<Found> {
  const { q, k, count, allowed, rows: listed, documents, signal } = task;
  const found: Found = { ids: new Uint32Array(q * k), scores: new Float32Array(q * k) };
  const pause = pacer(signal);
  const score = documentScorer(chunks, dim, task);
  for (let query = 0; query < q; query++) {
    const best = new BestRows(k, false);
    for (let i = 0; i < (listed?.length ?? count); i++) {
      const id = listed?.[i] ?? i;
      if (allowed !== undefined && !hasBit(allowed, id)) continue;
      await pause();
      best.offer(id, score(query, documents[id]!, documents[id + 1]!));
    }
    await drain(best, found, query * k, pause);
  }
  return found;
}

/** The canonical score of each pair of a query and a document. */
export async function maxsimPairs(
  chunks: readonly Chunk[],
  dim: number,
  task: MaxsimPairs,
): Promise<Float32Array> {
  const { pairs, documents } = task;
  const scores = new Float32Array(pairs.rows.length);
  const pause = pacer();
  const score = documentScorer(chunks, dim, task);
  for (let i = 0; i < scores.length; i++) {
    if (i % rowsPerBlock(dim) === 0) await pause();
    const document = pairs.rows[i]!;
    scores[i] = score(pairs.queries[i]!, documents[document]!, documents[document + 1]!);
  }
  return scores;
}

/**
 * Late interaction as ColBERT has it (Khattab and Zaharia 2020): for each token of the query, in order, the best inner
 * product with a token of the document; their float64 sum, rounded to float32, -0 as 0. The best of no tokens is
 * -Infinity.
 */
function documentScorer(chunks: readonly Chunk[], dim: number, asked: AskedQueries): DocumentScorer {
  const similarity = numberScorer(exactScore, 'ip', dim, asked.queries);
  const offsets = asked.offsets!;
  return (query, from, to) => {
    let sum = 0;
    for (let token = offsets[query]!; token < offsets[query + 1]!; token++) {
      let best = Number.NEGATIVE_INFINITY;
      for (let row = from; row < to; row++) {
        const chunk = chunkOf(chunks, row);
        best = Math.max(best, similarity(token, chunk, row - chunk.first));
      }
      sum += best;
    }
    return Math.fround(sum) + 0;
  };
}
