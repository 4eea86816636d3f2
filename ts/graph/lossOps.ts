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

/** The greatest along the last axis, `[..., n]` -> `[...]`; equal ones share the gradient. */
export function greatest(net: Autodiff, x: Tensor): Tensor {
  const { graph } = net;
  const last = x.shape.length - 1;
  const outer = x.shape.slice(0, -1);
  const column = graph.emit('ReduceMax', [x], [...outer, 1], { axes: [last], keepdims: 1 });
  return net.record(graph.reshape(column, outer), [x], (grad) => {
    net.accumulate(x, () => {
      const isGreatest = graph.cast(graph.emit('Equal', [x, column], x.shape, {}, 'bool'), 'float32');
      const share = graph.binary('Div', isGreatest, graph.sum(isGreatest, [last]));
      return graph.binary('Mul', share, graph.reshape(grad, [...outer, 1]));
    });
  });
}
