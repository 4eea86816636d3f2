import { SeineError, show } from '../core/errors.ts';
import { attend } from './attend.ts';
import type { Autodiff } from './autodiff.ts';
import { geluMlp, type Layer } from './geluMlp.ts';
import type { Tensor } from './graph.ts';
import type { Dim } from './onnx.ts';
import { hidePadding, positionsOf } from './positions.ts';

/** The fields of a BERT `config.json` that decide the shape of the network. */
export interface BertConfig {
  hidden_size: number;
  intermediate_size: number;
  num_attention_heads: number;
  num_hidden_layers: number;
  vocab_size: number;
  max_position_embeddings: number;
  type_vocab_size: number;
  layer_norm_eps: number;
}

/** Network parameters by name; matrices are `[in, out]`. */
export type Parameters = Record<string, Tensor>;

export interface BertInputs {
  /** Token embeddings of the sequence, `[batch, sequence, hidden]`. */
  tokens: Tensor;
  /** int64 `[batch, sequence]`, 1 = a token, 0 = padding */
  attention_mask: Tensor;
  /** int64 `[batch, sequence]`; all of the first type if left out. */
  token_type_ids: Tensor | undefined;
  /** int64 `[batch, sequence]`; 0, 1, … if left out. */
  positions?: Tensor | undefined;
}

/** The parameter `[positions, hidden]`. */
export const POSITION_EMBEDDINGS = 'embeddings.position_embeddings.weight';

/** Name -> shape of every parameter besides the token embeddings; a head for `labels` logits on the pooler, if any. */
export function bertShapes(config: BertConfig, labels: number): Record<string, number[]> {
  const { hidden_size: hidden, intermediate_size: inner } = config;
  const shapes: Record<string, number[]> = {};
  const linear = (name: string, from: number, to: number): void => {
    shapes[`${name}.weight`] = [from, to];
    shapes[`${name}.bias`] = [to];
  };
  const norm = (name: string): void => {
    shapes[`${name}.weight`] = [hidden];
    shapes[`${name}.bias`] = [hidden];
  };
  shapes[POSITION_EMBEDDINGS] = [config.max_position_embeddings, hidden];
  shapes['embeddings.token_type_embeddings.weight'] = [config.type_vocab_size, hidden];
  norm('embeddings.LayerNorm');
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const prefix = `encoder.layer.${layer}`;
    for (const part of ['query', 'key', 'value']) linear(`${prefix}.attention.self.${part}`, hidden, hidden);
    linear(`${prefix}.attention.output.dense`, hidden, hidden);
    norm(`${prefix}.attention.output.LayerNorm`);
    linear(`${prefix}.intermediate.dense`, hidden, inner);
    linear(`${prefix}.output.dense`, inner, hidden);
    norm(`${prefix}.output.LayerNorm`);
  }
  if (labels > 0) {
    linear('pooler.dense', hidden, hidden);
    linear('classifier', hidden, labels);
  }
  return shapes;
}

function need(parameters: Parameters, name: string): Tensor {
  const tensor = parameters[name];
  if (tensor) return tensor;
  throw new SeineError('ERR_MODEL', `The model should have a tensor ${show(name)}: check that it is a BERT.`);
}

/** Post-norm BERT encoder -> hidden states `[batch, sequence, hidden]`. */
export function bertEncoder(
  net: Autodiff,
  config: BertConfig,
  weights: Parameters,
  inputs: BertInputs,
): Tensor {
  const { graph } = net;
  const [batch, length] = inputs.attention_mask.shape as [Dim, Dim];
  const { hidden_size: hidden, num_attention_heads: heads, layer_norm_eps: epsilon } = config;
  const width = hidden / heads;
  const get = (name: string): Tensor => need(weights, name);
  const layerOf = (name: string): Layer => ({ weight: get(`${name}.weight`), bias: get(`${name}.bias`) });
  const linear = (x: Tensor, name: string): Tensor => {
    const { weight, bias } = layerOf(name);
    return net.linear(x, weight, bias);
  };
  const norm = (x: Tensor, name: string): Tensor =>
    net.layerNorm(x, get(`${name}.weight`), get(`${name}.bias`), epsilon);

  const places = inputs.positions ?? positionsOf(graph, inputs.attention_mask);
  const positions = net.gather(get(POSITION_EMBEDDINGS), places);
  const typeTable = get('embeddings.token_type_embeddings.weight');
  const types = inputs.token_type_ids ? net.gather(typeTable, inputs.token_type_ids) : net.head(typeTable, 1);
  const sum = net.add(net.add(inputs.tokens, positions), types);
  let x = net.dropout(norm(sum, 'embeddings.LayerNorm'));

  const hide = hidePadding(graph, inputs.attention_mask);
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const prefix = `encoder.layer.${layer}`;
    const split = (name: string): Tensor => {
      const y = linear(x, `${prefix}.attention.self.${name}`);
      return net.transpose(net.reshape(y, [batch, length, heads, width]), [0, 2, 1, 3]);
    };
    const seen = attend(net, split('query'), split('key'), split('value'), hide);
    const merged = net.reshape(net.transpose(seen, [0, 2, 1, 3]), [batch, length, hidden]);
    x = norm(
      net.add(x, net.dropout(linear(merged, `${prefix}.attention.output.dense`))),
      `${prefix}.attention.output.LayerNorm`,
    );
    const outer = geluMlp(net, x, layerOf(`${prefix}.intermediate.dense`), layerOf(`${prefix}.output.dense`));
    x = norm(net.add(x, net.dropout(outer)), `${prefix}.output.LayerNorm`);
  }
  return x;
}

/** Pooler over the first position and classifier: hidden states -> logits `[batch, labels]`. */
export function classificationHead(net: Autodiff, weights: Parameters, states: Tensor): Tensor {
  const get = (name: string): Tensor => need(weights, name);
  const pooled = net.linear(net.first(states), get('pooler.dense.weight'), get('pooler.dense.bias'));
  return net.linear(net.dropout(net.tanh(pooled)), get('classifier.weight'), get('classifier.bias'));
}
