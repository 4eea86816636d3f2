import { openEncoder } from '../../models/encoder.ts';
import { principalAxes } from './principalAxes.ts';

/**
 * The rotation `[dim, dim]` (vectors are rows that are multiplied by it) after which an embedder's vectors of these texts
 * have most of their length in the first numbers. Cosines stay as they are, and heads of the vectors are the best
 * embeddings of their length that a rotation gives.
 */
export async function principalRotation(
  model: string,
  texts: readonly string[],
  { maxTokens, signal }: { maxTokens: number; signal: AbortSignal | undefined },
): Promise<Float32Array> {
  const encoder = await openEncoder(model, { maxTokens });
  try {
    const { vectors } = await encoder.encode([...texts], { kind: 'document', signal });
    const { dim } = encoder;
    const axes = principalAxes(vectors, dim);
    return Float32Array.from({ length: dim * dim }, (_, i) => axes[(i % dim) * dim + Math.floor(i / dim)]!);
  } finally {
    await encoder.close();
  }
}
