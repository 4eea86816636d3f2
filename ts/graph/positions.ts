import type { Autodiff } from './autodiff.ts';
import type { Graph, Tensor } from './graph.ts';
import type { Dim } from './onnx.ts';

/** What is added to the similarity with a key that must not be seen. */
const HIDDEN = -1e9;

/** 0, 1, … for `mask` int64 `[batch, sequence]`: int64 `[sequence]`. */
export function positionsOf(graph: Graph, mask: Tensor): Tensor {
  const shape = graph.shapeOf(mask, 1, 2);
  const length = graph.emit('Squeeze', [shape, graph.integers([0])], [], {}, 'int64');
  return graph.emit('Range', [graph.integer(0), length, graph.integer(1)], [mask.shape[1]!], {}, 'int64');
}

/** Hides padding: float32 `[batch, 1, 1, sequence]`, to be added to similarities. */
export function hidePadding(graph: Graph, mask: Tensor): Tensor {
  const [batch, sequence] = mask.shape;
  const present = graph.cast(mask, 'float32');
  const spread = graph.emit('Unsqueeze', [present, graph.integers([1, 2])], [batch!, 1, 1, sequence!]);
  return graph.binary('Mul', graph.binary('Sub', graph.scalar(1), spread), graph.scalar(HIDDEN));
}

/**
 * Hides keys by their distance, position of the query minus that of the key: those behind the query (`causal`), or
 * those more than `within` positions away. Float32 `[sequence, sequence]`.
 */
export function hideByDistance(
  graph: Graph,
  positions: Tensor,
  which: 'causal' | { within: number },
): Tensor {
  const [sequence] = positions.shape;
  const at = graph.cast(positions, 'float32');
  const queries = graph.emit('Unsqueeze', [at, graph.integers([1])], [sequence!, 1]);
  const keys = graph.emit('Unsqueeze', [at, graph.integers([0])], [1, sequence!]);
  const distance = graph.emit('Sub', [queries, keys], [sequence!, sequence!]);
  const hidden =
    which === 'causal'
      ? graph.emit('Less', [distance, graph.scalar(0)], distance.shape, {}, 'bool')
      : graph.emit(
          'Greater',
          [graph.unary('Abs', distance), graph.scalar(which.within)],
          distance.shape,
          {},
          'bool',
        );
  return graph.binary('Mul', graph.cast(hidden, 'float32'), graph.scalar(HIDDEN));
}

/** States `[batch, sequence, dim]` of each item's last token: `[batch, dim]`. */
export function lastTokens(net: Autodiff, states: Tensor, mask: Tensor): Tensor {
  const { graph } = net;
  const [batch, sequence, dim] = states.shape;
  const counts = graph.emit('ReduceSum', [mask, graph.integers([1])], [batch!, 1], { keepdims: 1 }, 'int64');
  const last = graph.emit('Sub', [counts, graph.integer(1)], counts.shape, {}, 'int64');
  const found = graph.emit('GatherND', [states, last], [batch!, dim!], { batch_dims: 1 });
  return net.record(found, [states], (grad) => {
    net.accumulate(states, () => {
      const isLast = graph.emit('Equal', [positionsOf(graph, mask), last], [batch!, sequence!], {}, 'bool');
      const column = graph.reshape(graph.cast(isLast, 'float32'), [batch!, sequence!, 1]);
      return graph.binary('Mul', graph.reshape(grad, [batch!, 1, dim!]), column);
    });
  });
}

/** Mean of the states `[batch, sequence, dim]` of each item's tokens: `[batch, dim]`. */
export function meanTokens(net: Autodiff, states: Tensor, mask: Tensor): Tensor {
  const { graph } = net;
  const [batch, sequence, dim] = states.shape;
  const present = graph.cast(mask, 'float32');
  const weights = graph.emit('Unsqueeze', [present, graph.integers([1])], [batch!, 1, sequence!]);
  const counts = graph.sum(weights, [2]);
  const sums = graph.emit('MatMul', [weights, states], [batch!, 1, dim!]);
  const means = graph.binary('Div', sums, counts);
  const rows = graph.emit('Squeeze', [means, graph.integers([1])], [batch!, dim!]);
  return net.record(rows, [states], (grad) => {
    net.accumulate(states, () => {
      const shares = graph.binary('Div', graph.reshape(grad, [batch!, 1, dim!]), counts);
      return graph.binary('Mul', shares, graph.reshape(weights, [batch!, sequence!, 1]));
    });
  });
}

/**
 * Hides other items and what is behind a token in its own: float32 `[batch, 1, 1, sequence, past + sequence]`.
 * `positions` and `items` are int64 `[batch, sequence]`; keys `past` `[…, …, past, …]` are seen by all.
 */
export function hideForeign(
  graph: Graph,
  { positions, items, past }: { positions: Tensor; items: Tensor; past: Tensor },
): Tensor {
  const [batch, sequence] = items.shape as [Dim, Dim];
  const square = [batch, 1, 1, sequence, sequence];
  const queries = (t: Tensor): Tensor =>
    graph.emit('Unsqueeze', [t, graph.integers([1, 2, 4])], [batch, 1, 1, sequence, 1], {}, 'int64');
  const keys = (t: Tensor): Tensor =>
    graph.emit('Unsqueeze', [t, graph.integers([1, 2, 3])], [batch, 1, 1, 1, sequence], {}, 'int64');
  const own = graph.emit('Equal', [queries(items), keys(items)], square, {}, 'bool');
  const before = graph.emit('LessOrEqual', [keys(positions), queries(positions)], square, {}, 'bool');
  const seen = graph.cast(graph.emit('And', [own, before], square, {}, 'bool'), 'float32');
  const hide = graph.binary('Mul', graph.binary('Sub', graph.scalar(1), seen), graph.scalar(HIDDEN));
  const length = graph.shapeOf(past, 2, 3);
  const widths = [graph.integers([0, 0, 0, 0]), length, graph.integers([0, 0, 0, 0, 0])];
  const pads = graph.emit('Concat', widths, [10], { axis: 0 }, 'int64');
  return graph.emit('Pad', [hide, pads], [batch, 1, 1, sequence, 'keys']);
}
