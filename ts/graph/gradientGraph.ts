import { SeineError, show } from '../core/errors.ts';
import { Autodiff } from './autodiff.ts';
import type { Parameters } from './bert.ts';
import type { FlatLayout } from './flatLayout.ts';
import type { Tensor } from './graph.ts';

/** What the gradient of a parameter is called among the outputs. */
export const gradientOf = (name: string): string => `gradient:${name}`;

/**
 * A loss and its gradient as an ONNX graph. Inputs: every parameter of the layout under its name and shape, besides
 * those that `loss` declares and those of dropout, if it has a rate. Outputs: `loss`, a scalar, and for every parameter
 * its gradient, of the same shape.
 */
export function gradientGraph(
  layout: FlatLayout,
  loss: (net: Autodiff, parameters: Parameters) => Tensor,
  dropoutRate = 0,
): Uint8Array {
  const net = new Autodiff(undefined, dropoutRate);
  const { graph } = net;
  const parameters: Parameters = {};
  for (const { name, shape } of layout.entries) {
    const tensor = graph.input(name, shape);
    tensor.requiresGrad = true;
    parameters[name] = tensor;
  }
  const value = loss(net, parameters);
  net.backward(value);
  graph.output(value, 'loss');
  for (const { name } of layout.entries) {
    const { grad } = parameters[name]!;
    if (!grad) throw new SeineError('ERR_INTERNAL', `The loss should depend on the parameter ${show(name)}.`);
    graph.output(grad, gradientOf(name));
  }
  return graph.build();
}
