import { SeineError, show } from '../core/errors.ts';
import { type BertConfig, bertShapes } from './bert.ts';
import type { Checkpoint } from './checkpoint.ts';
import { readTensor } from './checkpointTensor.ts';

export const WORD_EMBEDDINGS = 'embeddings.word_embeddings.weight';

/**
 * Weights of a checkpoint (Hugging Face names, matrices `[out, in]`) by the names and shapes of `bertShapes`, matrices
 * `[in, out]`, and its word embeddings `[vocabulary, hidden]`. Errors: `ERR_MODEL` if a tensor is missing.
 */
export function bertWeights(
  { tensors, directory }: Checkpoint,
  config: BertConfig,
  labels: number,
): { weights: Record<string, Float32Array>; wordEmbeddings: Float32Array } {
  const read = (name: string, shape: readonly number[]): Float32Array => {
    for (const key of [name, `bert.${name}`]) {
      const tensor = tensors.get(key);
      if (tensor?.shape.join() === shape.join()) return readTensor(key, tensor);
    }
    throw new SeineError(
      'ERR_MODEL',
      `The model at ${directory} should have a tensor ${show(name)} of shape [${shape.join(', ')}] but has none: check ` +
        'that it is a BERT and that config.json belongs to it.',
    );
  };
  const weights: Record<string, Float32Array> = {};
  for (const [name, shape] of Object.entries(bertShapes(config, labels))) {
    const isLinear = shape.length === 2 && !name.startsWith('embeddings.');
    const [rows, columns] = shape as [number, number];
    weights[name] = isLinear ? transposed(read(name, [columns, rows]), columns, rows) : read(name, shape);
  }
  return { weights, wordEmbeddings: read(WORD_EMBEDDINGS, [config.vocab_size, config.hidden_size]) };
}

/** `[rows, columns]` -> `[columns, rows]` */
function transposed(data: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j]!;
  }
  return out;
}
