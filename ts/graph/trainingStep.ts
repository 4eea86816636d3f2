import { SeineError, show } from '../core/errors.ts';
import { Autodiff } from './autodiff.ts';
import type { Parameters } from './bert.ts';
import type { FlatLayout } from './flatLayout.ts';
import type { Graph, Tensor } from './graph.ts';

/** AdamW (decoupled weight decay) with clipping by the global norm of the gradient. */
export interface AdamW {
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  /** A longer gradient is scaled down to this Euclidean length. */
  clipNorm: number;
}

/**
 * One optimiser step as an ONNX graph: forward, backward, clipping, AdamW.
 *
 * Inputs besides those that `loss` declares: `parameters`, `mean`, `variance` (`[layout.size]`) and `schedule` `[3]`:
 * learning rate, 1 / (1 - beta1^t), 1 / (1 - beta2^t) at step t >= 1. Outputs: `loss`, `gradient_norm` (scalars) and
 * `next_parameters`, `next_mean`, `next_variance`.
 */
export function trainingStep(
  layout: FlatLayout,
  optimizer: AdamW,
  loss: (net: Autodiff, parameters: Parameters) => Tensor,
): Uint8Array {
  const net = new Autodiff();
  const { graph } = net;
  const flat = graph.input('parameters', [layout.size]);
  const { value, gradient } = flatGradient(net, layout, flat, loss);
  const squares = graph.emit('ReduceSumSquare', [gradient], [1], { axes: [0], keepdims: 1 });
  const norm = graph.unary('Sqrt', squares);
  const limit = graph.scalar(optimizer.clipNorm);
  const ratio = graph.binary('Div', limit, graph.emit('Max', [norm, limit], [1]));
  const clipped = graph.binary('Mul', gradient, ratio);
  const next = adamW(graph, layout, optimizer, flat, clipped);
  graph.output(value, 'loss');
  graph.output(norm, 'gradient_norm');
  graph.output(next.parameters, 'next_parameters');
  graph.output(next.mean, 'next_mean');
  graph.output(next.variance, 'next_variance');
  return graph.build();
}

/**
 * Only the loss and its gradient, for checks: input `parameters` `[layout.size]` besides those that `loss` declares,
 * outputs `loss` and `gradient` `[layout.size]`.
 */
export function gradientGraph(
  layout: FlatLayout,
  loss: (net: Autodiff, parameters: Parameters) => Tensor,
): Uint8Array {
  const net = new Autodiff();
  const flat = net.graph.input('parameters', [layout.size]);
  const { value, gradient } = flatGradient(net, layout, flat, loss);
  net.graph.output(value, 'loss');
  net.graph.output(gradient, 'gradient');
  return net.graph.build();
}

function flatGradient(
  net: Autodiff,
  layout: FlatLayout,
  flat: Tensor,
  loss: (net: Autodiff, parameters: Parameters) => Tensor,
): { value: Tensor; gradient: Tensor } {
  const { graph } = net;
  const parameters: Parameters = {};
  for (const { name, shape, offset, size } of layout.entries) {
    const slice = graph.emit(
      'Slice',
      [flat, graph.integers([offset]), graph.integers([offset + size])],
      [size],
    );
    const tensor = graph.reshape(slice, shape);
    tensor.requiresGrad = true;
    parameters[name] = tensor;
  }
  const value = loss(net, parameters);
  net.backward(value);
  const gradients = layout.entries.map(({ name, size }) => {
    const grad = parameters[name]!.grad;
    if (!grad) throw new SeineError('ERR_INTERNAL', `The loss should depend on the parameter ${show(name)}.`);
    return graph.reshape(grad, [size]);
  });
  return { value, gradient: graph.emit('Concat', gradients, [layout.size], { axis: 0 }) };
}

function adamW(
  graph: Graph,
  layout: FlatLayout,
  { beta1, beta2, epsilon, weightDecay }: AdamW,
  parameters: Tensor,
  gradient: Tensor,
): { parameters: Tensor; mean: Tensor; variance: Tensor } {
  const scaled = (x: Tensor, factor: number): Tensor => graph.binary('Mul', x, graph.scalar(factor));
  const oldMean = graph.input('mean', [layout.size]);
  const oldVariance = graph.input('variance', [layout.size]);
  const schedule = graph.input('schedule', [3]);
  const entry = (i: number): Tensor => {
    return graph.emit('Slice', [schedule, graph.integers([i]), graph.integers([i + 1])], [1]);
  };
  const mean = graph.binary('Add', scaled(oldMean, beta1), scaled(gradient, 1 - beta1));
  const square = graph.binary('Mul', gradient, gradient);
  const variance = graph.binary('Add', scaled(oldVariance, beta2), scaled(square, 1 - beta2));
  const deviation = graph.unary('Sqrt', graph.binary('Mul', variance, entry(2)));
  const direction = graph.binary(
    'Div',
    graph.binary('Mul', mean, entry(1)),
    graph.binary('Add', deviation, graph.scalar(epsilon)),
  );
  const fill = (value: number, count: number): Tensor =>
    graph.emit('Expand', [graph.scalar(value), graph.integers([count])], [count]);
  const undecayed = layout.size - layout.decayed;
  const decay = graph.emit('Concat', [fill(weightDecay, layout.decayed), fill(0, undecayed)], [layout.size], {
    axis: 0,
  });
  const update = graph.binary('Add', direction, graph.binary('Mul', decay, parameters));
  const next = graph.binary('Sub', parameters, graph.binary('Mul', update, entry(0)));
  return { parameters: next, mean, variance };
}
