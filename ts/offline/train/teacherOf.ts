import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { SeineError, show } from '../../core/errors.ts';
import { inParts } from '../../core/inParts.ts';
import { openEncoder } from '../../models/encoder.ts';
import type { TextKind } from '../../train/biEncoder.ts';
import type { TrainingGroup } from '../../train/trainingGroup.ts';

export interface TeacherOptions {
  /** Dimension of the vectors of the model that learns. */
  dim: unknown;
  /** Tokens of a text that the model reads, and its teacher too; fewer if the teacher reads fewer. */
  maxTokens: number;
  /** Where vectors are kept until the training is done. */
  directory: string;
  signal?: AbortSignal | undefined;
  onText?: ((done: number, total: number) => void) | undefined;
}

/** Texts that are encoded at a time: what an interruption loses at most. */
const PART = 2048;

/**
 * Encodes all texts of the data by another embedder; returns its vector of each, scaled to unit length. What an
 * interrupted run has encoded is not encoded again. Errors: `ERR_MODEL_MISMATCH` if the dimensions differ.
 */
export async function teacherOf(
  name: string,
  groups: readonly TrainingGroup[],
  options: TeacherOptions,
): Promise<(text: string, kind: TextKind) => Float32Array> {
  const { dim, maxTokens, signal, onText } = options;
  const most = await openEncoder(name);
  const encoder = most.maxTokens <= maxTokens ? most : await openEncoder(name, { maxTokens });
  if (encoder !== most) await most.close();
  try {
    if (encoder.dim !== dim) {
      throw new SeineError(
        'ERR_MODEL_MISMATCH',
        `The teacher ${encoder.name} should make vectors of ${show(dim)} numbers, as the model that learns from it, but ` +
          `makes vectors of ${encoder.dim}: choose another one.`,
      );
    }
    const texts = {
      query: [...new Set(groups.map(({ query }) => query))],
      document: [...new Set(groups.flatMap(({ documents }) => documents))],
    };
    const total = texts.query.length + texts.document.length;
    const known = {
      query: await encoded('query', 0),
      document: await encoded('document', texts.query.length),
    };
    return (text, kind) => known[kind](text);

    async function encoded(kind: TextKind, before: number): Promise<(text: string) => Float32Array> {
      const whole = JSON.stringify([encoder.hash, encoder.maxTokens, texts[kind]]);
      const identity = createHash('sha256').update(whole).digest('hex').slice(0, 16);
      const encode = async (part: readonly string[]): Promise<Uint8Array> => {
        const { vectors } = await encoder.encode([...part], { kind, signal });
        return new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength);
      };
      const parts = await inParts(join(options.directory, `${kind}-${identity}`), texts[kind], encode, {
        size: PART,
        signal,
        onDone: (done) => onText?.(before + done, total),
      });
      const bytes = Buffer.concat(parts);
      // In one array: the garbage collector would visit each of many at every batch.
      const vectors = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
      const row = (i: number): Float32Array => vectors.subarray(i * encoder.dim, (i + 1) * encoder.dim);
      const rows = new Map(texts[kind].map((text, i) => [text, i]));
      for (const i of rows.values()) {
        const vector = row(i);
        const length = Math.hypot(...vector);
        if (length > 0) for (let j = 0; j < vector.length; j++) vector[j]! /= length;
      }
      return (text) => row(rows.get(text)!);
    }
  } finally {
    await encoder.close();
  }
}
