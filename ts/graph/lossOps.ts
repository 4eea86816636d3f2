import type { Autodiff } from './autodiff.ts';
import type { Tensor } from './graph.ts';

/** `max(0, x)`; its gradient at 0 is 0. */
export function relu(net: Autodiff, x: Tensor): Tensor {
  const { graph } = net;
  return net.record(graph.unary('Relu', x), [x], (grad) => {
    net.accumulate(x, () => {
      const above = graph.emit('Greater', [x, graph.scalar(0)], x.shape, {}, 'bool');
      return graph.binary('Mul', grad, graph.cast(above, 'float32'));
    });
  });
}

/** `log(1 + exp(x))` */
export function softplus(net: Autodiff, x: Tensor): Tensor {
  const { graph } = net;
  return net.record(graph.unary('Softplus', x), [x], (grad) => {
    net.accumulate(x, () => graph.binary('Mul', grad, graph.unary('Sigmoid', x)));
  });
}
