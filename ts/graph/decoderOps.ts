import type { Autodiff } from './autodiff.ts';
import type { Tensor } from './graph.ts';

/** `x / sqrt(mean(x²) + epsilon) · gain` over the last axis (B. Zhang, R. Sennrich: RMSNorm, NeurIPS 2019). */
export function rmsNorm(net: Autodiff, x: Tensor, gain: Tensor, epsilon: number): Tensor {
  const { graph } = net;
  const last = x.shape.length - 1;
  const one = [...x.shape.slice(0, -1), 1];
  const average = (t: Tensor): Tensor => graph.emit('ReduceMean', [t], one, { axes: [last], keepdims: 1 });
  const square = average(graph.binary('Mul', x, x));
  const root = graph.unary('Sqrt', graph.binary('Add', square, graph.scalar(epsilon)));
  const normal = graph.binary('Div', x, root);
  return net.record(graph.binary('Mul', normal, gain), [x, gain], (grad) => {
    net.accumulate(gain, () => graph.binary('Mul', grad, normal));
    net.accumulate(x, () => {
      const scaled = graph.binary('Mul', grad, gain);
      const along = graph.binary('Mul', normal, average(graph.binary('Mul', scaled, normal)));
      return graph.binary('Div', graph.binary('Sub', scaled, along), root);
    });
  });
}

/** `x · sigmoid(x)` */
export function silu(net: Autodiff, x: Tensor): Tensor {
  const { graph } = net;
  const gate = graph.unary('Sigmoid', x);
  const y = graph.binary('Mul', x, gate);
  return net.record(y, [x], (grad) => {
    net.accumulate(x, () => {
      const rest = graph.binary('Mul', y, graph.binary('Sub', graph.scalar(1), gate));
      return graph.binary('Mul', grad, graph.binary('Add', gate, rest));
    });
  });
}

/** Elements `from` to `to` of an axis. */
export function part(net: Autodiff, x: Tensor, axis: number, from: number, to: number): Tensor {
  const { graph } = net;
  return net.record(slice(net, x, axis, from, to), [x], (grad) => {
    net.accumulate(x, () => {
      const before = x.shape.map((_, i) => (i === axis ? from : 0));
      const after = x.shape.map((dim, i) => (i === axis ? (dim as number) - to : 0));
      return graph.emit('Pad', [grad, graph.integers([...before, ...after])], x.shape);
    });
  });
}

/**
 * Rotary position embedding of halves (J. Su et al.: RoFormer, 2021): `x · cos + (−x₂, x₁) · sin` for
 * `x = (x₁, x₂) [..., sequence, dim]`; `cos` and `sin` are `[sequence, dim]` or broadcast to it.
 */
export function rotate(net: Autodiff, x: Tensor, cos: Tensor, sin: Tensor): Tensor {
  const { graph } = net;
  const turned = (t: Tensor, sign: 1 | -1): Tensor => {
    const size = (x.shape.at(-1) as number) / 2;
    const last = t.shape.length - 1;
    const [first, second] = [slice(net, t, last, 0, size), slice(net, t, last, size, 2 * size)];
    const negated = graph.unary('Neg', sign === 1 ? second : first);
    const parts = sign === 1 ? [negated, first] : [second, negated];
    return graph.emit('Concat', parts, x.shape, { axis: -1 });
  };
  const y = graph.binary('Add', graph.binary('Mul', x, cos), graph.binary('Mul', turned(x, 1), sin));
  return net.record(y, [x], (grad) => {
    net.accumulate(x, () =>
      graph.binary('Add', graph.binary('Mul', grad, cos), turned(graph.binary('Mul', grad, sin), -1)),
    );
  });
}

function slice({ graph }: Autodiff, x: Tensor, axis: number, from: number, to: number): Tensor {
  const inputs = [x, graph.integers([from]), graph.integers([to]), graph.integers([axis])];
  const shape = x.shape.map((dim, i) => (i === axis ? to - from : dim));
  return graph.emit('Slice', inputs, shape);
}
