import { Autodiff } from './autodiff.ts';
import { type BertConfig, bertEncoder, bertShapes, classificationHead, type Parameters } from './bert.ts';
import { WORD_EMBEDDINGS } from './bertWeights.ts';
import { gatherRows, quantizedMatrix, quantizeRows } from './quantize.ts';

/** How weights lie in the file; computation is in float32 either way. */
export type WeightPrecision = 'float32' | 'int8';

/**
 * A BERT with a classification head for inference: inputs `input_ids`, `attention_mask`, `token_type_ids`
 * `[batch, sequence]` int64, output `logits` `[batch, labels]`. With `int8`, matrices are quantised by output channel
 * and embeddings by row; biases and norms stay float32.
 */
export function bertClassifier(
  config: BertConfig,
  labels: number,
  weights: Readonly<Record<string, Float32Array>>,
  wordEmbeddings: Float32Array,
  precision: WeightPrecision,
): Uint8Array {
  const net = new Autodiff();
  const { graph } = net;
  const input = (name: string) => graph.input(name, ['batch', 'sequence'], 'int64');
  const ids = input('input_ids');
  const mask = input('attention_mask');
  const types = input('token_type_ids');
  const parameters: Parameters = {};
  for (const [name, shape] of Object.entries(bertShapes(config, labels))) {
    const data = weights[name]!;
    const quantized = precision === 'int8' && shape.length === 2;
    parameters[name] = quantized
      ? quantizedMatrix(graph, name, data, shape as [number, number])
      : graph.weights(name, shape, data);
  }
  const { vocab_size: vocabulary, hidden_size: hidden } = config;
  const tokens =
    precision === 'int8'
      ? gatherRows(graph, WORD_EMBEDDINGS, quantizeRows(wordEmbeddings, hidden), ids)
      : graph.gather(graph.weights(WORD_EMBEDDINGS, [vocabulary, hidden], wordEmbeddings), ids);
  const states = bertEncoder(net, config, parameters, {
    tokens,
    attention_mask: mask,
    token_type_ids: types,
  });
  graph.output(classificationHead(net, parameters, states), 'logits');
  return graph.build();
}
