import type { Autodiff } from './autodiff.ts';
import { sizeOf, staticShape, type Tensor } from './graph.ts';

/** A linear layer: `weight` `[from, to]`, `bias` `[to]`. */
export interface Layer {
  weight: Tensor;
  bias: Tensor;
}

/**
 * Two linear layers with GELU (the error function) between them. To train, constant factors go into the products'
 * own, so that a state of the inner width is passed over nine times and not twelve: with `s = (x·W + b)/√2` and
 * `e = 1 + erf(s)`, the inner state is `s·e/√2` and its slope `(e + 2/√π · s · exp(−s²))/2`.
 */
export function geluMlp(net: Autodiff, x: Tensor, inner: Layer, outer: Layer): Tensor {
  const { graph } = net;
  const layers = [inner.weight, inner.bias, outer.weight, outer.bias];
  if (!layers.every(({ requiresGrad }) => requiresGrad)) {
    return net.linear(net.gelu(net.linear(x, inner.weight, inner.bias)), outer.weight, outer.bias);
  }
  const [from, width] = staticShape(inner.weight.shape) as [number, number];
  const to = outer.weight.shape[1] as number;
  const rows = sizeOf(x.shape.slice(0, -1));
  const states = graph.reshape(x, [rows, from]);
  const root = graph.scalar(Math.SQRT1_2);
  const bias = graph.binary('Mul', inner.bias, root); // a factor at the product would be a pass over all its numbers
  const s = graph.gemm(states, inner.weight, { bias, scale: Math.SQRT1_2 });
  const e = graph.binary('Add', graph.unary('Erf', s), graph.scalar(1));
  const z = graph.binary('Mul', s, e);
  const y = graph.gemm(z, outer.weight, { bias: outer.bias, scale: Math.SQRT1_2 });
  return net.record(graph.reshape(y, [...x.shape.slice(0, -1), to]), [x, ...layers], (grad) => {
    const flat = graph.reshape(grad, [rows, to]);
    net.accumulate(outer.weight, () => graph.gemm(z, flat, { transA: true, scale: Math.SQRT1_2 }));
    net.accumulate(outer.bias, () => flat);
    const exponent = graph.binary(
      'Sub',
      graph.scalar(Math.log(2 / Math.sqrt(Math.PI))),
      graph.binary('Mul', s, s),
    );
    const slope = graph.binary('Add', e, graph.binary('Mul', s, graph.unary('Exp', exponent)));
    const back = graph.binary('Mul', graph.gemm(flat, outer.weight, { transB: true }), slope);
    net.accumulate(inner.weight, () => graph.gemm(states, back, { transA: true, scale: 0.5 }));
    net.accumulate(inner.bias, () => {
      return graph.binary('Mul', graph.reshape(graph.sum(back, [0]), [width]), graph.scalar(0.5));
    });
    net.accumulate(x, () =>
      graph.reshape(graph.gemm(back, inner.weight, { transB: true, scale: 0.5 }), x.shape),
    );
  });
}
