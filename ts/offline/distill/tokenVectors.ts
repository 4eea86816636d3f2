import { openSession } from '../../models/session.ts';

/**
 * What a sentence encoder makes of each token alone: the mean of its last hidden states over `[CLS] token [SEP]`,
 * `[size, dim]`.
 */
export async function tokenVectors(
  graph: string,
  { size, cls, sep }: { size: number; cls: number; sep: number },
): Promise<{ vectors: Float32Array; dim: number }> {
  const session = await openSession(graph);
  const batch = 256;
  let vectors = new Float32Array(0);
  let dim = 0;
  for (let first = 0; first < size; first += batch) {
    const count = Math.min(batch, size - first);
    const ids = new BigInt64Array(count * 3);
    for (let i = 0; i < count; i++) ids.set([BigInt(cls), BigInt(first + i), BigInt(sep)], i * 3);
    const dims = [count, 3];
    const { last_hidden_state: states } = await session.run({
      input_ids: { type: 'int64', dims, data: ids },
      attention_mask: { type: 'int64', dims, data: new BigInt64Array(count * 3).fill(1n) },
      token_type_ids: { type: 'int64', dims, data: new BigInt64Array(count * 3) },
    });
    const data = states!.data as Float32Array;
    if (dim === 0) {
      dim = states!.dims[2]!;
      vectors = new Float32Array(size * dim);
    }
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < dim; j++) {
        const at = i * 3 * dim + j;
        vectors[(first + i) * dim + j] = (data[at]! + data[at + dim]! + data[at + 2 * dim]!) / 3;
      }
    }
  }
  await session.release();
  return { vectors, dim };
}
