import { SeineError, show } from '../core/errors.ts';
import type { Random } from '../core/random.ts';
import { type BertConfig, bertShapes } from './bert.ts';
import type { NamedTensor } from './safetensors.ts';

export const WORD_EMBEDDINGS = 'embeddings.word_embeddings.weight';

const HEAD_DEVIATION = 0.05;

/**
 * Takes the named layers of a pretrained BERT (Hugging Face names, matrices `[out, in]`) as layers 0, 1, … of a smaller
 * one; matrices become `[in, out]`. Pooler and classifier are drawn anew, N(0, 0.05²): sentence encoders leave the
 * pooler untrained, and so small that its first gradients vanish. The word embeddings are not among the weights.
 */
export function bertWeights(
  pretrained: ReadonlyMap<string, NamedTensor>,
  config: BertConfig,
  layers: readonly number[],
  labels: number,
  random: Random,
): Record<string, Float32Array> {
  const weights: Record<string, Float32Array> = {};
  for (const [name, shape] of Object.entries(
    bertShapes({ ...config, num_hidden_layers: layers.length }, labels),
  )) {
    const source = name.replace(
      /^encoder\.layer\.(\d+)/,
      (_, layer) => `encoder.layer.${layers[Number(layer)]}`,
    );
    const tensor = pretrained.get(source);
    const linear = shape.length === 2 && !name.startsWith('embeddings.');
    const [rows, columns] = shape as [number, number];
    if (name.startsWith('pooler.') || name.startsWith('classifier.')) {
      const count = rows * (columns ?? 1);
      weights[name] = Float32Array.from({ length: count }, () =>
        linear ? HEAD_DEVIATION * random.normal() : 0,
      );
      continue;
    }
    const expected = linear ? [columns, rows] : shape;
    if (tensor?.shape.join() !== expected.join()) {
      throw new SeineError(
        'ERR_MODEL',
        `The checkpoint should have a tensor ${show(source)} of shape [${expected.join(', ')}], ` +
          `got ${tensor ? `[${tensor.shape.join(', ')}]` : 'none'}: check that config.json belongs to it.`,
      );
    }
    weights[name] = linear ? transposed(tensor.data, columns, rows) : tensor.data;
  }
  return weights;
}

/** `[rows, columns]` -> `[columns, rows]` */
function transposed(data: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j]!;
  }
  return out;
}
