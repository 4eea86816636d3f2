import { SeineError, show } from '../core/errors.ts';
import type { Random } from '../core/random.ts';
import { Autodiff } from './autodiff.ts';
import type { Parameters } from './bert.ts';
import type { Checkpoint } from './checkpoint.ts';
import { readTensor } from './checkpointTensor.ts';
import type { Family, Source, TextInputs, Weights } from './families/family.ts';
import { familyOf } from './families/familyOf.ts';
import { type FlatLayout, flatLayout } from './flatLayout.ts';
import type { Tensor } from './graph.ts';
import { ModelConfig } from './modelConfig.ts';
import type { Dim } from './onnx.ts';
import type { NamedTensor } from './safetensors.ts';

/** Standard deviation of the matrices of a head that is drawn anew, as in BERT. */
const HEAD_DEVIATION = 0.02;

/** Whether a weight belongs to a head and not to the family's body. */
const isOfHead = (name: string): boolean => /^(classifier|score|head|lm_head)\./.test(name);

/** What is put on top of the hidden states: writes the head's nodes for a batch. */
export type WriteHead = (source: Source, family: Family, inputs: TextInputs, states: Tensor) => Tensor;

/** A transformer of a checkpoint with its weights as parameters, under their names without the family's prefix. */
export class TrainableTransformer {
  readonly config: ModelConfig;
  readonly family: Family;
  readonly layout: FlatLayout;
  readonly #checkpoint: Checkpoint;
  readonly #head: WriteHead;
  /** Names that the head asks for. */
  readonly #ofHead: ReadonlySet<string>;
  /** Whether a head that the checkpoint lacks may be drawn: one for words may not. */
  readonly #canDraw: boolean;

  /** Errors: `ERR_MODEL` if the architecture is not known or a field of the configuration does not fit. */
  constructor(checkpoint: Checkpoint, head: WriteHead) {
    this.config = new ModelConfig(checkpoint.config, checkpoint.directory);
    this.family = familyOf(this.config, checkpoint.directory);
    this.#checkpoint = checkpoint;
    this.#head = head;
    // The network is written once, for the smallest batch, to learn which weights it asks for.
    const shapes: Record<string, readonly number[]> = {};
    const net = new Autodiff();
    const inputs = this.inputs(net, 'dry', [1, 1]);
    const source = this.#source(net, (name, shape) => {
      shapes[name] = shape;
      return net.graph.tensor(name, shape);
    });
    const states = this.family.states(source, inputs);
    const body = new Set(Object.keys(shapes));
    head(source, this.family, inputs, states);
    this.layout = flatLayout(shapes);
    this.#ofHead = new Set(Object.keys(shapes).filter((name) => !body.has(name)));
    this.#canDraw = !this.#ofHead.has('lm_head.weight');
  }

  /** Declares the inputs of texts `[batch, sequence]`, their names beginning with `name`. */
  inputs(net: Autodiff, name: string, shape: readonly [number, Dim]): TextInputs {
    const input = (kind: string): Tensor => net.graph.input(`${name}.${kind}`, shape, 'int64');
    return {
      ids: input('ids'),
      mask: input('mask'),
      types: this.family.takesTypes ? input('types') : undefined,
    };
  }

  /** What the head makes of texts. */
  apply(net: Autodiff, parameters: Parameters, inputs: TextInputs): Tensor {
    const source = this.#source(net, (name) => parameters[name]!);
    return this.#head(source, this.family, inputs, this.family.states(source, inputs));
  }

  /**
   * The checkpoint's weights in the order of the layout. A head for classes that it lacks, or has in other shapes, is
   * drawn anew: matrices from N(0, 0.02²), biases 0. Errors: `ERR_MODEL` if any other weight is not there.
   */
  initial(random: Random): { values: Float32Array; headDrawn: boolean } {
    const { entries, size } = this.layout;
    const fits = (name: string, shape: readonly number[]): boolean =>
      this.#find(name)?.tensor.shape.join() === shape.join();
    const lacks = entries.some(({ name, shape }) => this.#ofHead.has(name) && !fits(name, shape));
    const headDrawn = this.#canDraw && lacks;
    const values = new Float32Array(size);
    for (const { name, shape, offset, size: count } of entries) {
      const into = values.subarray(offset, offset + count);
      if (headDrawn && this.#ofHead.has(name)) {
        if (shape.length > 1) for (let i = 0; i < count; i++) into[i] = HEAD_DEVIATION * random.normal();
        else if (name.endsWith('norm.weight')) into.fill(1);
        continue;
      }
      const found = this.#find(name);
      if (found === undefined || !fits(name, shape)) {
        throw new SeineError(
          'ERR_MODEL',
          `The model at ${this.#checkpoint.directory} should have a tensor ${show(name)} of shape ` +
            `[${shape.join(', ')}], got ${found ? `[${found.tensor.shape.join(', ')}]` : 'none'}: check that ` +
            'config.json belongs to it.',
        );
      }
      into.set(readTensor(found.key, found.tensor));
    }
    return { values, headDrawn };
  }

  /**
   * Parameters as tensors by the names of Hugging Face: those of the checkpoint or, for a model with a head, the body's
   * names behind the family's prefix.
   */
  named(values: Float32Array): Map<string, NamedTensor> {
    const hasHead = this.#ofHead.size > 0;
    const { prefix } = this.family;
    return new Map(
      this.layout.entries.map(({ name, shape, offset, size }) => {
        const key = hasHead && !isOfHead(name) ? `${prefix}.${name}` : (this.#find(name)?.key ?? name);
        return [key, { shape, data: values.subarray(offset, offset + size) }];
      }),
    );
  }

  #find(name: string) {
    const { tensors } = this.#checkpoint;
    for (const key of [name, `${this.family.prefix}.${name}`]) {
      const tensor = tensors.get(key);
      if (tensor !== undefined) return { key, tensor };
    }
    return undefined;
  }

  #source(net: Autodiff, parameter: (name: string, shape: readonly number[]) => Tensor): Source {
    const matrices = new Map<string, Tensor>();
    const weights: Weights = {
      get: parameter,
      matrix(name, from, to) {
        const known = matrices.get(name) ?? net.transpose(parameter(name, [to, from]), [1, 0]);
        matrices.set(name, known);
        return known;
      },
    };
    return { net, config: this.config, weights };
  }
}
