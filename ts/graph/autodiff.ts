import { SeineError } from '../core/errors.ts';
import { Graph, sizeOf, staticShape, type Tensor } from './graph.ts';

/** What the names of inputs begin with that say which elements dropout keeps. */
export const DROPOUT = 'dropout.';

/** Of tables up to this size the gradient is a product with the choices: scattering occupies one thread only. */
const FEW_ROWS = 16;

/**
 * Operators with reverse-mode gradients: each emits its forward nodes at once and remembers how to emit the nodes
 * of its gradient; without a parameter that requires one nothing is remembered. Dimensions may be symbolic: one
 * description of a network serves training and export.
 *
 * Sums over repeated indices are taken by `ScatterElements`: ONNX Runtime's `ScatterND` with `reduction=add` gives wrong
 * sums on several threads when indices repeat.
 */
export class Autodiff {
  readonly graph: Graph;
  private readonly tape: { output: Tensor; back: (grad: Tensor) => void }[] = [];
  private readonly dropoutRate: number;
  private dropouts = 0;

  /** `dropoutRate`: share of elements that `dropout` sets to 0. */
  constructor(graph: Graph = new Graph(), dropoutRate = 0) {
    this.graph = graph;
    this.dropoutRate = dropoutRate;
  }

  /** Notes how the gradient of `output` flows on to `parents`; nothing if none of them requires one. */
  record(output: Tensor, parents: readonly Tensor[], back: (grad: Tensor) => void): Tensor {
    if (parents.some(({ requiresGrad }) => requiresGrad)) {
      output.requiresGrad = true;
      this.tape.push({ output, back });
    }
    return output;
  }

  /** Adds a gradient to that of `parent`, if it requires one, summed down to its shape. */
  accumulate(parent: Tensor, grad: () => Tensor): void {
    if (!parent.requiresGrad) return;
    const fitted = this.unbroadcast(grad(), parent.shape);
    parent.grad = parent.grad ? this.graph.binary('Add', parent.grad, fitted) : fitted;
  }

  /** Sums a gradient down to the shape that was broadcast. */
  private unbroadcast(grad: Tensor, shape: Tensor['shape']): Tensor {
    const lead = grad.shape.length - shape.length;
    const axes = grad.shape.flatMap((dim, i) =>
      i < lead || (shape[i - lead] === 1 && dim !== 1) ? [i] : [],
    );
    return axes.length === 0 ? grad : this.graph.reshape(this.graph.sum(grad, axes), shape);
  }

  add(a: Tensor, b: Tensor): Tensor {
    return this.record(this.graph.binary('Add', a, b), [a, b], (grad) => {
      this.accumulate(a, () => grad);
      this.accumulate(b, () => grad);
    });
  }

  sub(a: Tensor, b: Tensor): Tensor {
    return this.record(this.graph.binary('Sub', a, b), [a, b], (grad) => {
      this.accumulate(a, () => grad);
      this.accumulate(b, () => this.graph.unary('Neg', grad));
    });
  }

  mul(a: Tensor, b: Tensor): Tensor {
    return this.record(this.graph.binary('Mul', a, b), [a, b], (grad) => {
      this.accumulate(a, () => this.graph.binary('Mul', grad, b));
      this.accumulate(b, () => this.graph.binary('Mul', grad, a));
    });
  }

  scale(x: Tensor, factor: number): Tensor {
    return this.mul(x, this.graph.scalar(factor));
  }

  reshape(x: Tensor, shape: Tensor['shape']): Tensor {
    return this.record(this.graph.reshape(x, shape), [x], (grad) => {
      this.accumulate(x, () => this.graph.reshape(grad, x.shape));
    });
  }

  transpose(x: Tensor, perm: readonly number[]): Tensor {
    const inverse = perm.map((_, axis) => perm.indexOf(axis));
    return this.record(this.graph.transpose(x, perm), [x], (grad) => {
      this.accumulate(x, () => this.graph.transpose(grad, inverse));
    });
  }

  /** Batched product of equal leading shapes. */
  matmul(a: Tensor, b: Tensor): Tensor {
    return this.record(this.graph.matmul(a, b), [a, b], (grad) => {
      this.accumulate(a, () => this.graph.matmul(grad, this.graph.swap(b)));
      this.accumulate(b, () => this.graph.matmul(this.graph.swap(a), grad));
    });
  }

  /** `x [..., K] @ weight [K, N] + bias [N]`, if there is a bias */
  linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
    const { graph } = this;
    const product = graph.matmul(x, weight);
    const y = bias ? graph.binary('Add', product, bias) : product;
    return this.record(y, bias ? [x, weight, bias] : [x, weight], (grad) => {
      const [inner, outer] = staticShape(weight.shape) as [number, number];
      const rows = sizeOf(x.shape.slice(0, -1));
      const flat = graph.reshape(grad, [rows, outer]);
      this.accumulate(x, () => graph.reshape(graph.gemm(flat, weight, { transB: true }), x.shape));
      this.accumulate(weight, () => graph.gemm(graph.reshape(x, [rows, inner]), flat, { transA: true }));
      if (bias) this.accumulate(bias, () => flat);
    });
  }

  /**
   * Dropout (N. Srivastava et al., 2014): elements that an input `dropout.<i>`, bool and of the same shape, does not keep
   * become 0, the others are scaled up; at a rate of 0, `x` itself.
   */
  dropout(x: Tensor): Tensor {
    if (this.dropoutRate === 0) return x;
    const { graph } = this;
    const kept = graph.input(`${DROPOUT}${this.dropouts++}`, x.shape, 'bool');
    const factors = [graph.scalar(1 / (1 - this.dropoutRate)), graph.scalar(0)];
    return this.mul(x, graph.emit('Where', [kept, ...factors], x.shape));
  }

  /** Over the last axis. */
  softmax(x: Tensor): Tensor {
    const { graph } = this;
    const y = graph.emit('Softmax', [x], x.shape, { axis: -1 });
    return this.record(y, [x], (grad) => {
      this.accumulate(x, () => {
        const weighted = graph.binary('Mul', grad, y);
        const total = graph.sum(weighted, [x.shape.length - 1]);
        return graph.binary('Sub', weighted, graph.binary('Mul', y, total));
      });
    });
  }

  /** Over the last axis. */
  logSoftmax(x: Tensor): Tensor {
    const { graph } = this;
    const y = graph.emit('LogSoftmax', [x], x.shape, { axis: -1 });
    return this.record(y, [x], (grad) => {
      this.accumulate(x, () => {
        const total = graph.sum(grad, [x.shape.length - 1]);
        return graph.binary('Sub', grad, graph.binary('Mul', graph.unary('Exp', y), total));
      });
    });
  }

  tanh(x: Tensor): Tensor {
    const { graph } = this;
    const y = graph.unary('Tanh', x);
    return this.record(y, [x], (grad) => {
      this.accumulate(x, () => {
        const slope = graph.binary('Sub', graph.scalar(1), graph.binary('Mul', y, y));
        return graph.binary('Mul', grad, slope);
      });
    });
  }

  /** The exact form, with the error function. */
  gelu(x: Tensor): Tensor {
    const { graph } = this;
    const erf = graph.unary('Erf', graph.binary('Mul', x, graph.scalar(Math.SQRT1_2)));
    const cdf = graph.binary('Mul', graph.binary('Add', erf, graph.scalar(1)), graph.scalar(0.5));
    return this.record(graph.binary('Mul', x, cdf), [x], (grad) => {
      this.accumulate(x, () => {
        const exponent = graph.binary('Mul', graph.binary('Mul', x, x), graph.scalar(-0.5));
        const density = graph.binary(
          'Mul',
          graph.unary('Exp', exponent),
          graph.scalar(1 / Math.sqrt(2 * Math.PI)),
        );
        return graph.binary('Mul', grad, graph.binary('Add', cdf, graph.binary('Mul', x, density)));
      });
    });
  }

  /** Over the last axis; `gain` and `bias` are `[dim]`. */
  layerNorm(x: Tensor, gain: Tensor, bias: Tensor, epsilon: number): Tensor {
    const { graph } = this;
    const last = x.shape.length - 1;
    const attributes = { axis: -1, epsilon: { float: epsilon } };
    if (![x, gain, bias].some(({ requiresGrad }) => requiresGrad)) {
      return graph.emit('LayerNormalization', [x, gain, bias], x.shape, attributes);
    }
    const one = [...x.shape.slice(0, -1), 1];
    const [y, mean, inverse] = graph.emitMany(
      'LayerNormalization',
      [x, gain, bias],
      [x.shape, one, one],
      attributes,
    );
    return this.record(y!, [x, gain, bias], (grad) => {
      const normal = graph.binary('Mul', graph.binary('Sub', x, mean!), inverse!);
      const average = (t: Tensor): Tensor =>
        graph.emit('ReduceMean', [t], one, { axes: [last], keepdims: 1 });
      this.accumulate(gain, () => graph.binary('Mul', grad, normal));
      this.accumulate(bias, () => grad);
      this.accumulate(x, () => {
        const scaled = graph.binary('Mul', grad, gain);
        const along = graph.binary('Mul', normal, average(graph.binary('Mul', scaled, normal)));
        const centred = graph.binary('Sub', graph.binary('Sub', scaled, average(scaled)), along);
        return graph.binary('Mul', centred, inverse!);
      });
    });
  }

  /** Rows of a table `[rows, dim]`; the gradients of a row that is asked for several times add up. */
  gather(table: Tensor, indices: Tensor): Tensor {
    const { graph } = this;
    return this.record(graph.gather(table, indices), [table], (grad) => {
      this.accumulate(table, () => {
        const [rows, dim] = staticShape(table.shape) as [number, number];
        const count = sizeOf(indices.shape);
        if (rows <= FEW_ROWS) {
          const values = graph.constantVector('off_on', Float32Array.of(0, 1));
          const column = graph.reshape(indices, [count]);
          const oneHot = graph.emit('OneHot', [column, graph.integer(rows), values], [count, rows]);
          return graph.gemm(oneHot, graph.reshape(grad, [count, dim]), { transA: true });
        }
        const zeros = graph.emit('Expand', [graph.scalar(0), graph.integers([rows, dim])], table.shape);
        const column = graph.reshape(indices, [count, 1]);
        const places = graph.emit('Expand', [column, graph.integers([1, dim])], [count, dim], {}, 'int64');
        const updates = graph.reshape(grad, [count, dim]);
        return graph.emit('ScatterElements', [zeros, places, updates], table.shape, {
          axis: 0,
          reduction: 'add',
        });
      });
    });
  }

  /** The first `length` rows of a table `[rows, dim]`. */
  head(table: Tensor, length: number): Tensor {
    const { graph } = this;
    const [rows, dim] = staticShape(table.shape) as [number, number];
    const y = graph.emit('Slice', [table, graph.integers([0]), graph.integers([length])], [length, dim]);
    return this.record(y, [table], (grad) => {
      this.accumulate(table, () => {
        return graph.emit('Pad', [grad, graph.integers([0, 0, rows - length, 0])], table.shape);
      });
    });
  }

  /** `x [batch, sequence, dim]` -> its first position, `[batch, dim]` */
  first(x: Tensor): Tensor {
    const { graph } = this;
    return this.record(graph.gather(x, graph.integer(0), 1), [x], (grad) => {
      this.accumulate(x, () => {
        const [batch, , dim] = x.shape;
        const one = graph.reshape(grad, [batch!, 1, dim!]);
        const rest = graph.emit('Sub', [graph.shapeOf(x, 1, 2), graph.integers([1])], [1], {}, 'int64');
        const pads = [graph.integers([0, 0, 0, 0]), rest, graph.integers([0])];
        return graph.emit('Pad', [one, graph.emit('Concat', pads, [6], { axis: 0 }, 'int64')], x.shape);
      });
    });
  }

  /** Sum of all elements, a scalar. */
  total(x: Tensor): Tensor {
    const { graph } = this;
    return this.record(graph.emit('ReduceSum', [x], [], { keepdims: 0 }), [x], (grad) => {
      this.accumulate(x, () => graph.emit('Expand', [grad, graph.shapeOf(x)], x.shape));
    });
  }

  /** Emits the gradients of a scalar; afterwards `grad` is set on every tensor that it depends on. */
  backward(loss: Tensor): void {
    if (loss.shape.length !== 0 || !loss.requiresGrad) {
      throw new SeineError('ERR_INTERNAL', 'Expected a scalar loss that depends on a parameter.');
    }
    loss.grad = this.graph.scalar(1);
    for (const { output, back } of this.tape.toReversed()) if (output.grad) back(output.grad);
  }
}
