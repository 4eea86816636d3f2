import { Graph } from './graph.ts';
import { gatherRows, type QuantizedRows } from './quantize.ts';

/**
 * A text encoder without layers: the mean of the token vectors, scaled to length 1. Inputs `input_ids` and
 * `attention_mask` `[batch, sequence]` int64, output `sentence_embedding` `[batch, dim]`; a text without a token
 * that has a vector gives zeros.
 */
export function staticEmbedder(table: QuantizedRows): Uint8Array {
  const graph = new Graph();
  const { dim } = table;
  const ids = graph.input('input_ids', ['batch', 'sequence'], 'int64');
  const mask = graph.input('attention_mask', ['batch', 'sequence'], 'int64');
  const present = graph.cast(mask, 'float32');
  const unsqueezed = graph.emit('Unsqueeze', [present, graph.integers([2])], ['batch', 'sequence', 1]);
  const vectors = graph.binary('Mul', gatherRows(graph, 'tokens', table, ids), unsqueezed);
  const sum = graph.emit('ReduceSum', [vectors, graph.integers([1])], ['batch', dim], { keepdims: 0 });
  const norm = graph.emit('ReduceL2', [sum], ['batch', 1], { axes: [1], keepdims: 1 });
  const safe = graph.emit('Max', [norm, graph.scalar(1e-12)], ['batch', 1]);
  graph.output(graph.binary('Div', sum, safe), 'sentence_embedding');
  return graph.build();
}
