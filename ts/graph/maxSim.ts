import type { Autodiff } from './autodiff.ts';
import { sizeOf, type Tensor } from './graph.ts';
import { greatest } from './lossOps.ts';
import type { Dim } from './onnx.ts';
import { hidePadding } from './positions.ts';

/** Vectors of the tokens of texts `[texts, length, dim]`, and which are tokens: int64 `[texts, length]`, 1 or 0. */
export interface TokenVectors {
  vectors: Tensor;
  mask: Tensor;
}

/**
 * MaxSim (O. Khattab, M. Zaharia: ColBERT, SIGIR 2020): sum over a query's tokens of their greatest product with a
 * document's tokens, of every query with every document, `[queries, documents]`.
 */
export function maxSim(net: Autodiff, queries: TokenVectors, documents: TokenVectors): Tensor {
  const { graph } = net;
  const [count, short, dim] = queries.vectors.shape as [Dim, Dim, number];
  const [columns, long] = documents.vectors.shape as [Dim, Dim];
  const tokens = sizeOf([count, short]);
  const asked = net.reshape(queries.vectors, [tokens, dim]);
  const read = net.reshape(documents.vectors, [sizeOf([columns, long]), dim]);
  const products = net.reshape(net.matmul(asked, net.transpose(read, [1, 0])), [tokens, columns, long]);
  const hide = graph.reshape(hidePadding(graph, documents.mask), [columns, long]);
  const best = net.reshape(greatest(net, net.add(products, hide)), [count, short, columns]);
  const present = graph.reshape(graph.cast(queries.mask, 'float32'), [count, 1, short]);
  return net.reshape(net.matmul(present, best), [count, columns]);
}
