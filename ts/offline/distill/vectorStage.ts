import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomic } from '../../core/files.ts';
import { forgetParts, inParts } from '../../core/inParts.ts';
import { openEncoder } from '../../models/encoder.ts';
import { resolveModel } from '../../models/resolveModel.ts';
import { readItems, type TextItem } from './collection.ts';
import type { Report } from './report.ts';
import type { Stage } from './stage.ts';

/** `[documents, dim]`, float32, little-endian. */
const VECTORS = 'vectors.f32';
const PART = 512;

export interface VectorOptions {
  name: string;
  corpus: string;
  model: string;
  maxTokens: number | undefined;
  report: Report;
  signal: AbortSignal | undefined;
}

/** Encodes a collection's documents by an embedder. */
export async function vectorStage(options: VectorOptions): Promise<Stage> {
  const { name, corpus, model, maxTokens, report, signal } = options;
  const { hash } = await resolveModel(model, 'embedder');
  return {
    name,
    options: { model: hash, maxTokens },
    inputs: { corpus },
    async run(directory) {
      const documents = await readItems(corpus);
      const encoder = await openEncoder(model, { maxTokens });
      const encode = async (items: readonly TextItem[]): Promise<Uint8Array> => {
        const texts = items.map(({ text }) => text);
        const { vectors } = await encoder.encode(texts, { kind: 'document', signal });
        return new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength);
      };
      try {
        const onDone = (done: number, total: number) => report('documents', done, total);
        const parts = await inParts(directory, documents, encode, { size: PART, signal, onDone });
        await writeAtomic(join(directory, VECTORS), Buffer.concat(parts));
      } finally {
        await encoder.close();
      }
      await forgetParts(directory);
    },
  };
}

/** What the stage made, `[documents, dim]`. */
export async function readVectors(directory: string): Promise<Float32Array> {
  const bytes = await readFile(join(directory, VECTORS));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
