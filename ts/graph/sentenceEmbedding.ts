import type { Autodiff } from './autodiff.ts';
import type { Tensor } from './graph.ts';
import { lastTokens, meanTokens } from './positions.ts';

/** How the states of a text's tokens become its vector, within a graph. */
export type GraphPooling = 'mean' | 'cls' | 'lasttoken';

/** States `[batch, sequence, dim]` of tokens, 1 in `mask` int64 `[batch, sequence]`, -> one vector a text `[batch, dim]`. */
export function poolStates(net: Autodiff, states: Tensor, mask: Tensor, pooling: GraphPooling): Tensor {
  switch (pooling) {
    case 'mean':
      return meanTokens(net, states, mask);
    case 'cls':
      return net.first(states);
    case 'lasttoken':
      return lastTokens(net, states, mask);
  }
}

/** Vectors along the last axis scaled to length 1; the gradient is that of `x / ‖x‖`, which has none at 0. */
export function unitLength(net: Autodiff, x: Tensor): Tensor {
  const { graph } = net;
  const last = x.shape.length - 1;
  const y = graph.emit('LpNormalization', [x], x.shape, { axis: -1, p: 2 });
  return net.record(y, [x], (grad) => {
    net.accumulate(x, () => {
      const length = graph.unary('Sqrt', graph.sum(graph.binary('Mul', x, x), [last]));
      const along = graph.sum(graph.binary('Mul', grad, y), [last]);
      return graph.binary('Div', graph.binary('Sub', grad, graph.binary('Mul', y, along)), length);
    });
  });
}
