import { openSession } from '../../models/session.ts';
import type { Tokenizer } from '../../models/tokenizer.ts';

/**
 * Vectors `[texts, dim]` of a graph that takes `input_ids` and `attention_mask` and gives `sentence_embedding`; texts
 * without special tokens, `maxTokens` at most.
 */
export async function staticVectors(
  graph: string | Uint8Array,
  tokenizer: Tokenizer,
  texts: readonly string[],
  maxTokens: number,
): Promise<{ vectors: Float32Array; dim: number }> {
  const session = await openSession(graph);
  const ids = texts.map((text) => tokenizer.part(text, maxTokens).ids);
  const order = ids.map((_, i) => i).sort((a, b) => ids[a]!.length - ids[b]!.length);
  const batch = 64;
  let dim = 0;
  let vectors = new Float32Array(0);
  for (let first = 0; first < order.length; first += batch) {
    const rows = order.slice(first, first + batch);
    const length = Math.max(1, ids[rows.at(-1)!]!.length);
    const input = new BigInt64Array(rows.length * length);
    const mask = new BigInt64Array(rows.length * length);
    rows.forEach((row, i) => {
      ids[row]!.forEach((id, j) => {
        input[i * length + j] = BigInt(id);
        mask[i * length + j] = 1n;
      });
    });
    const dims = [rows.length, length];
    const { sentence_embedding: output } = await session.run({
      input_ids: { type: 'int64', dims, data: input },
      attention_mask: { type: 'int64', dims, data: mask },
    });
    if (dim === 0) {
      dim = output!.dims[1]!;
      vectors = new Float32Array(texts.length * dim);
    }
    const data = output!.data as Float32Array;
    rows.forEach((row, i) => {
      vectors.set(data.subarray(i * dim, (i + 1) * dim), row * dim);
    });
  }
  await session.release();
  return { vectors, dim };
}
