import { basename } from 'node:path';
import { SeineError, show } from '../core/errors.ts';
import { blockMatrix, type Precision, quantizeBlocks } from './blockMatrix.ts';
import type { Checkpoint } from './checkpoint.ts';
import { type CheckpointTensor, isPlain, readBytes, readTensor } from './checkpointTensor.ts';
import type { Weights } from './families/family.ts';
import type { Graph, Tensor } from './graph.ts';

const TYPES = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const;

/** Where the plain weights of a graph lie: in the files of the checkpoint, or in the graph itself, 2 GiB at most. */
export type WeightsPlace = 'files' | 'graph';

/** How weights are put into a graph. */
export interface WeightsForm {
  /** `'files'` by default. */
  place?: WeightsPlace | undefined;
  /** Of the matrices, `'f32'` by default; codes lie in the graph. Vectors and tables stay as they are. */
  precision?: Precision | undefined;
}

/**
 * Weights of a checkpoint as float32 tensors of a graph. Plain numbers stay as they are (ONNX Runtime widens halves
 * when it opens the graph); blocks of codes are computed and always lie in the graph.
 */
export class TransformerWeights implements Weights {
  readonly #graph: Graph;
  readonly #checkpoint: Checkpoint;
  /** Put before a name that is not there alone: models with a head have one, those without need not. */
  readonly #prefix: string;
  readonly #place: WeightsPlace;
  readonly #precision: Precision;
  readonly #made = new Map<string, Tensor>();

  constructor(graph: Graph, checkpoint: Checkpoint, prefix: string, form: WeightsForm = {}) {
    this.#graph = graph;
    this.#checkpoint = checkpoint;
    this.#prefix = prefix;
    this.#place = form.place ?? 'files';
    this.#precision = form.precision ?? 'f32';
  }

  get(name: string, shape: readonly number[]): Tensor {
    const [key, tensor] = this.#require(name, shape);
    const known = this.#made.get(key) ?? this.#make(key, tensor);
    this.#made.set(key, known);
    return known;
  }

  matrix(name: string, from: number, to: number): Tensor {
    if (this.#precision === 'f32') return this.#graph.transpose(this.get(name, [to, from]), [1, 0]);
    const [key, tensor] = this.#require(name, [to, from]);
    const codes = quantizeBlocks(readTensor(key, tensor), from, this.#precision === 'q8' ? 8 : 4);
    return blockMatrix(this.#graph, key, from, to, codes);
  }

  #find(name: string): [string, CheckpointTensor] | undefined {
    const { tensors } = this.#checkpoint;
    for (const key of [name, `${this.#prefix}.${name}`]) {
      const tensor = tensors.get(key);
      if (tensor !== undefined) return [key, tensor];
    }
    return undefined;
  }

  #require(name: string, shape: readonly number[]): [string, CheckpointTensor] {
    const found = this.#find(name);
    if (found !== undefined && found[1].shape.join() === shape.join()) return found;
    const got = found === undefined ? 'none' : `[${found[1].shape.join(', ')}]`;
    throw new SeineError(
      'ERR_MODEL',
      `The model at ${this.#checkpoint.directory} should have a tensor ${show(name)} of shape ` +
        `[${shape.join(', ')}], got ${got}: check that config.json belongs to it.`,
    );
  }

  #make(key: string, tensor: CheckpointTensor): Tensor {
    const { format, shape, path, offset, bytes, interleaved } = tensor;
    if (!isPlain(format) || interleaved !== undefined) {
      return this.#graph.weights(key, shape, readTensor(key, tensor));
    }
    const data =
      this.#place === 'graph' ? readBytes(key, tensor) : { location: basename(path), offset, length: bytes };
    const stored = this.#graph.stored(key, shape, TYPES[format], data);
    return this.#graph.cast(stored, 'float32');
  }
}
