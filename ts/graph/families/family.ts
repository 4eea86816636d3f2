import type { Autodiff } from '../autodiff.ts';
import type { Tensor } from '../graph.ts';
import type { ModelConfig } from '../modelConfig.ts';

/** Inputs of a graph, int64 `[batch, sequence]`; padding is on the right. */
export interface TextInputs {
  ids: Tensor;
  /** 1 = a token, 0 = padding */
  mask: Tensor;
  /** 0 = the first text, 1 = the second; only for families that tell them apart. */
  types: Tensor | undefined;
}

/** Weights of a model by their names without the family's prefix: constants to serve with, or parameters to train. */
export interface Weights {
  /** A vector or a table, as it lies. */
  get(name: string, shape: readonly number[]): Tensor;
  /** A matrix that lies as `[to, from]`, as `[from, to]`. */
  matrix(name: string, from: number, to: number): Tensor;
}

/** What a graph is written from. */
export interface Source {
  net: Autodiff;
  config: ModelConfig;
  weights: Weights;
}

/** Models that share an architecture. */
export interface Family {
  /** Values of `model_type` in `config.json`. */
  readonly types: readonly string[];
  /** Of the tensors' names, in models with a head. */
  readonly prefix: string;
  /** Whether the graph takes `token_type_ids`. */
  readonly takesTypes: boolean;
  /** Final hidden states `[batch, sequence, hidden]`. */
  states(source: Source, inputs: TextInputs): Tensor;
  /** Logits `[batch, labels]` of a model for sequence classification. */
  classify(source: Source, inputs: TextInputs, states: Tensor, labels: number): Tensor;
}

/** `x @ weight + bias` of a layer by name, the matrix lying as `[to, from]`. */
export function linear({ net, weights }: Source, x: Tensor, name: string, to: number, bias: boolean): Tensor {
  const from = x.shape.at(-1) as number;
  const offset = bias ? weights.get(`${name}.bias`, [to]) : undefined;
  return net.linear(x, weights.matrix(`${name}.weight`, from, to), offset);
}
