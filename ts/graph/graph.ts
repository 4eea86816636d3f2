import { SeineError } from '../core/errors.ts';
import type { Attribute, DataType, Dim, ExternalData, OnnxInitializer, OnnxNode, OnnxValue } from './onnx.ts';
import { CONTRIB, TYPES, writeOnnx } from './onnx.ts';

/** A value of the graph. `requiresGrad` says that a gradient flows into it; `grad` is set by `backward`. */
export interface Tensor {
  readonly name: string;
  readonly type: DataType;
  readonly shape: readonly Dim[];
  requiresGrad: boolean;
  grad: Tensor | undefined;
  /** Of a matrix that is there as codes only. */
  readonly blocks?: Blocks;
}

/** Codes `[to, blocks, bytes]` and scales `[to · blocks]` of a matrix, `size` numbers a block. */
interface Blocks {
  bits: 8 | 4;
  size: number;
  codes: Tensor;
  scales: Tensor;
}

export interface GemmOptions {
  transA?: boolean;
  transB?: boolean;
  scale?: number;
  bias?: Tensor;
}

/** Number of elements of a shape; symbolic if a dimension is. */
export function sizeOf(shape: readonly Dim[]): Dim {
  const symbols = shape.filter((dim) => typeof dim === 'string');
  const size = shape.reduce<number>((product, dim) => (typeof dim === 'number' ? product * dim : product), 1);
  return symbols.length === 0 ? size : [size, ...symbols].join('·');
}

/** The shape as numbers; a symbolic dimension is a defect of the caller. */
export function staticShape(shape: readonly Dim[]): number[] {
  return shape.map((dim) => {
    if (typeof dim === 'number') return dim;
    throw new SeineError('ERR_INTERNAL', `Expected a static shape, got the symbolic dimension ${dim}.`);
  });
}

function broadcast(a: readonly Dim[], b: readonly Dim[]): Dim[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new SeineError(
        'ERR_INTERNAL',
        `Shapes [${a.join(', ')}] and [${b.join(', ')}] do not broadcast.`,
      );
    }
    return x === 1 ? y : x;
  });
}

/** Collects ONNX nodes with their shapes, without gradients. Dimensions may be symbolic. */
export class Graph {
  private readonly nodes: OnnxNode[] = [];
  private readonly initializers: OnnxInitializer[] = [];
  private readonly inputs: OnnxValue[] = [];
  private readonly outputs: OnnxValue[] = [];
  private readonly constants = new Map<string, Tensor>();
  private count = 0;

  tensor(name: string, shape: readonly Dim[], type: DataType = 'float32'): Tensor {
    return { name, type, shape, requiresGrad: false, grad: undefined };
  }

  /** A name that no other value of this graph has. */
  fresh(prefix: string): string {
    return `${prefix}_${this.count++}`;
  }

  emit(
    op: string,
    inputs: readonly Tensor[],
    shape: readonly Dim[],
    attributes: Record<string, Attribute> = {},
    type: DataType = 'float32',
  ): Tensor {
    return this.emitMany(op, inputs, [shape], attributes, type)[0]!;
  }

  /** A node with several outputs of one type. */
  emitMany(
    op: string,
    inputs: readonly Tensor[],
    shapes: readonly (readonly Dim[])[],
    attributes: Record<string, Attribute> = {},
    type: DataType = 'float32',
  ): Tensor[] {
    const outputs = shapes.map((shape) => this.tensor(this.fresh(op), shape, type));
    this.nodes.push({
      op,
      inputs: inputs.map(({ name }) => name),
      outputs: outputs.map(({ name }) => name),
      attributes,
    });
    return outputs;
  }

  input(name: string, shape: readonly Dim[], type: DataType = 'float32'): Tensor {
    this.inputs.push({ name, dims: shape, type });
    return this.tensor(name, shape, type);
  }

  output(value: Tensor, name: string): void {
    this.nodes.push({ op: 'Identity', inputs: [value.name], outputs: [name] });
    this.outputs.push({ name, dims: value.shape, type: value.type });
  }

  /** Weights that lie in the file. */
  weights(name: string, shape: readonly number[], data: Float32Array | Int8Array | Uint8Array): Tensor {
    const type = data instanceof Int8Array ? 'int8' : data instanceof Uint8Array ? 'uint8' : 'float32';
    this.initializers.push({ name, dims: shape, type, data });
    return this.tensor(name, shape, type);
  }

  /** Weights as a file has them: their bytes, or where they lie in it. */
  stored(name: string, shape: readonly number[], type: DataType, data: Uint8Array | ExternalData): Tensor {
    this.initializers.push({ name, dims: shape, type, data });
    return this.tensor(name, shape, type);
  }

  private constant(key: string, make: () => OnnxInitializer): Tensor {
    const known = this.constants.get(key);
    if (known) return known;
    const initializer = make();
    this.initializers.push(initializer);
    const made = this.tensor(initializer.name, initializer.dims, initializer.type);
    this.constants.set(key, made);
    return made;
  }

  scalar(value: number): Tensor {
    const name = `scalar_${value}`;
    return this.constant(name, () => ({ name, dims: [], type: 'float32', data: Float32Array.of(value) }));
  }

  integer(value: number): Tensor {
    const name = `integer_${value}`;
    return this.constant(name, () => ({
      name,
      dims: [],
      type: 'int64',
      data: BigInt64Array.of(BigInt(value)),
    }));
  }

  integers(values: readonly number[]): Tensor {
    const name = `integers_${values.join('_')}`;
    const data = (): BigInt64Array => BigInt64Array.from(values, BigInt);
    return this.constant(name, () => ({ name, dims: [values.length], type: 'int64', data: data() }));
  }

  /** A vector that several nodes share by its name. */
  constantVector(name: string, data: Float32Array): Tensor {
    return this.constant(name, () => ({ name, dims: [data.length], type: 'float32', data }));
  }

  binary(op: 'Add' | 'Sub' | 'Mul' | 'Div', a: Tensor, b: Tensor): Tensor {
    return this.emit(op, [a, b], broadcast(a.shape, b.shape));
  }

  unary(op: string, x: Tensor): Tensor {
    return this.emit(op, [x], x.shape);
  }

  cast(x: Tensor, type: DataType): Tensor {
    return x.type === type ? x : this.emit('Cast', [x], x.shape, { to: TYPES[type] }, type);
  }

  /** One symbolic dimension may stand at another place than the input has it, or come of others. */
  reshape(x: Tensor, shape: readonly Dim[]): Tensor {
    if (x.shape.length === shape.length && shape.every((dim, i) => dim === x.shape[i])) return x;
    const target = shape.map((dim, i) => {
      if (typeof dim === 'number') return dim;
      return x.shape[i] === dim ? 0 : -1;
    });
    if (target.filter((dim) => dim === -1).length > 1) {
      throw new SeineError(
        'ERR_INTERNAL',
        `[${x.shape.join(', ')}] to [${shape.join(', ')}] leaves more than one dimension open.`,
      );
    }
    return this.emit('Reshape', [x, this.integers(target)], shape, {}, x.type);
  }

  /** The shape at run time, int64 `[rank]`, or the dimensions from `start` to before `end` of it. */
  shapeOf(x: Tensor, start = 0, end = x.shape.length): Tensor {
    return this.emit('Shape', [x], [end - start], { start, end }, 'int64');
  }

  transpose(x: Tensor, perm: readonly number[]): Tensor {
    return this.emit(
      'Transpose',
      [x],
      perm.map((axis) => x.shape[axis]!),
      { perm },
      x.type,
    );
  }

  /** Swaps the last two axes. */
  swap(x: Tensor): Tensor {
    const perm = x.shape.map((_, axis) => axis);
    const last = perm.length - 1;
    perm[last] = last - 1;
    perm[last - 1] = last;
    return this.transpose(x, perm);
  }

  matmul(a: Tensor, b: Tensor): Tensor {
    if (b.blocks !== undefined) return this.blockProduct(a, b, b.blocks);
    const batch = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
    return this.emit('MatMul', [a, b], [...batch, a.shape.at(-2)!, b.shape.at(-1)!]);
  }

  /**
   * MatMulNBits of ONNX Runtime quantises activations to 8 bits in blocks, each token by itself: a product does not
   * depend on the others of its batch.
   */
  private blockProduct(a: Tensor, b: Tensor, { bits, size, codes, scales }: Blocks): Tensor {
    const [from, to] = staticShape(b.shape) as [number, number];
    const output = this.tensor(this.fresh('MatMulNBits'), [...a.shape.slice(0, -1), to]);
    this.nodes.push({
      op: 'MatMulNBits',
      domain: CONTRIB,
      inputs: [a.name, codes.name, scales.name],
      outputs: [output.name],
      attributes: { K: from, N: to, bits, block_size: size, accuracy_level: 4 },
    });
    return output;
  }

  /** `scale · A·B + bias`: `[M, K]`, `[K, N]` after the transpositions, `[N]` -> `[M, N]` */
  gemm(a: Tensor, b: Tensor, { transA = false, transB = false, scale = 1, bias }: GemmOptions = {}): Tensor {
    const shape = [a.shape[transA ? 1 : 0]!, b.shape[transB ? 0 : 1]!];
    return this.emit('Gemm', bias ? [a, b, bias] : [a, b], shape, {
      transA: Number(transA),
      transB: Number(transB),
      alpha: { float: scale },
    });
  }

  /** Summed axes stay as dimensions of 1. */
  sum(x: Tensor, axes: readonly number[]): Tensor {
    const shape = x.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
    return this.emit('ReduceSum', [x, this.integers(axes)], shape, { keepdims: 1 });
  }

  /** Rows of a table: `[rows, …]`, indices of any shape. */
  gather(table: Tensor, indices: Tensor, axis = 0): Tensor {
    const shape = [...table.shape.slice(0, axis), ...indices.shape, ...table.shape.slice(axis + 1)];
    return this.emit('Gather', [table, indices], shape, { axis }, table.type);
  }

  /** The bytes of an ONNX file. */
  build(): Uint8Array {
    const { nodes, initializers, inputs, outputs } = this;
    return writeOnnx({ nodes, initializers, inputs, outputs });
  }
}
