import { Autodiff } from './autodiff.ts';
import { type BertConfig, bertEncoder, bertShapes, classificationHead, type Parameters } from './bert.ts';
import { WORD_EMBEDDINGS } from './bertWeights.ts';
import { gatherRows, quantizedMatrix, quantizeRows } from './quantize.ts';
import { type GraphPooling, poolStates, unitLength } from './sentenceEmbedding.ts';

/** How weights lie in the file; computation is in float32 either way. */
export type WeightPrecision = 'float32' | 'int8';

/**
 * What the graph gives out: `logits` `[batch, labels]`, or `sentence_embedding` `[batch, hidden]` of unit length, times a
 * rotation `[hidden, hidden]` if there is one.
 */
export type BertHead = { labels: number } | { pooling: GraphPooling; rotation?: Float32Array | undefined };

/**
 * A BERT for inference: inputs `input_ids`, `attention_mask`, `token_type_ids` `[batch, sequence]` int64. With `int8`,
 * matrices are quantised by output channel and embeddings by row; biases and norms stay float32.
 */
export function bertInference(
  config: BertConfig,
  head: BertHead,
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
  const matrix = (name: string, data: Float32Array, shape: [number, number]) =>
    precision === 'int8' ? quantizedMatrix(graph, name, data, shape) : graph.weights(name, shape, data);
  const parameters: Parameters = {};
  for (const [name, shape] of Object.entries(bertShapes(config, 'labels' in head ? head.labels : 0))) {
    const data = weights[name]!;
    parameters[name] =
      shape.length === 2 ? matrix(name, data, shape as [number, number]) : graph.weights(name, shape, data);
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
  if ('labels' in head) graph.output(classificationHead(net, parameters, states), 'logits');
  else {
    const pooled = poolStates(net, states, mask, head.pooling);
    const rotation = head.rotation && matrix('rotation', head.rotation, [hidden, hidden]);
    const vectors = rotation ? net.matmul(pooled, rotation) : pooled;
    graph.output(unitLength(net, vectors), 'sentence_embedding');
  }
  return graph.build();
}
