import { basename } from 'node:path';
import { SeineError, show } from '../core/errors.ts';
import type { Checkpoint } from './checkpoint.ts';
import { type CheckpointTensor, isPlain, readBytes, readTensor } from './checkpointTensor.ts';
import type { Weights } from './families/family.ts';
import type { Graph, Tensor } from './graph.ts';

const TYPES = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const;

/** Where the plain weights of a graph lie: in the files of the checkpoint, or in the graph itself, 2 GiB at most. */
export type WeightsPlace = 'files' | 'graph';

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
  readonly #made = new Map<string, Tensor>();

  constructor(graph: Graph, checkpoint: Checkpoint, prefix: string, place: WeightsPlace = 'files') {
    this.#graph = graph;
    this.#place = place;
    this.#checkpoint = checkpoint;
    this.#prefix = prefix;
  }

  get(name: string, shape: readonly number[]): Tensor {
    return this.#load(name, shape);
  }

  matrix(name: string, from: number, to: number): Tensor {
    return this.#graph.transpose(this.#load(name, [to, from]), [1, 0]);
  }

  #find(name: string): [string, CheckpointTensor] | undefined {
    const { tensors } = this.#checkpoint;
    for (const key of [name, `${this.#prefix}.${name}`]) {
      const tensor = tensors.get(key);
      if (tensor !== undefined) return [key, tensor];
    }
    return undefined;
  }

  #load(name: string, shape: readonly number[]): Tensor {
    const found = this.#find(name);
    if (found === undefined || found[1].shape.join() !== shape.join()) {
      const got = found === undefined ? 'none' : `[${found[1].shape.join(', ')}]`;
      throw new SeineError(
        'ERR_MODEL',
        `The model at ${this.#checkpoint.directory} should have a tensor ${show(name)} of shape ` +
          `[${shape.join(', ')}], got ${got}: check that config.json belongs to it.`,
      );
    }
    const [key, tensor] = found;
    const known = this.#made.get(key) ?? this.#make(key, tensor);
    this.#made.set(key, known);
    return known;
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
