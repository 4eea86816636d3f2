import { SeineError, show } from '../../core/errors.ts';
import { openEncoder } from '../../models/encoder.ts';
import type { TextKind } from '../../train/biEncoder.ts';
import type { TrainingGroup } from '../../train/trainingGroup.ts';

/** Encodes all texts of the data by another embedder; returns its vector of each, scaled to unit length. */
export async function teacherOf(
  name: string,
  groups: readonly TrainingGroup[],
  dim: unknown,
): Promise<(text: string, kind: TextKind) => Float32Array> {
  const encoder = await openEncoder(name);
  try {
    if (encoder.dim !== dim) {
      throw new SeineError(
        'ERR_MODEL_MISMATCH',
        `The teacher ${encoder.name} should make vectors of ${show(dim)} numbers, as the model that learns from it, but ` +
          `makes vectors of ${encoder.dim}: choose another one.`,
      );
    }
    const known = {
      query: await encoded([...new Set(groups.map(({ query }) => query))], 'query'),
      document: await encoded([...new Set(groups.flatMap(({ documents }) => documents))], 'document'),
    };
    return (text, kind) => known[kind].get(text)!;
  } finally {
    await encoder.close();
  }

  async function encoded(texts: string[], kind: TextKind): Promise<Map<string, Float32Array>> {
    const { vectors } = await encoder.encode(texts, { kind });
    return new Map(
      texts.map((text, i) => {
        const vector = vectors.subarray(i * encoder.dim, (i + 1) * encoder.dim);
        const length = Math.hypot(...vector);
        return [text, length > 0 ? vector.map((value) => value / length) : vector];
      }),
    );
  }
}
