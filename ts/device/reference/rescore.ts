import type { Metric } from '../../core/types.ts';
import type { RescoreTask } from '../device.ts';
import { pacer } from '../pacer.ts';
import { chunkOf } from './readRows.ts';
import { rowScorer } from './rowScorer.ts';
import { type Chunk, rowsPerBlock } from './scan.ts';

/** The meaning of rescore: the canonical score of each pair. */
export async function rescore(
  chunks: readonly Chunk[],
  dim: number,
  metric: Metric,
  task: RescoreTask,
): Promise<Float32Array> {
  const { pairs } = task;
  const scores = new Float32Array(pairs.rows.length);
  const pause = pacer();
  const score = rowScorer(metric, dim, task);
  const block = rowsPerBlock(dim);
  for (let i = 0; i < scores.length; i++) {
    if (i % block === 0) await pause();
    const chunk = chunkOf(chunks, pairs.rows[i]!);
    scores[i] = score(pairs.queries[i]!, chunk, pairs.rows[i]! - chunk.first);
  }
  return scores;
}
