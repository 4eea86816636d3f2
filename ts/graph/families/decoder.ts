import { attend } from '../attend.ts';
import { rmsNorm, rotate, silu } from '../decoderOps.ts';
import type { Tensor } from '../graph.ts';
import type { ModelConfig } from '../modelConfig.ts';
import { hideByDistance, hidePadding, lastTokens, positionsOf } from '../positions.ts';
import { decoderFrequencies, type Rope, ropeOf } from '../rope.ts';
import { type Family, linear, type Source } from './family.ts';

export const TOKEN_EMBEDDINGS = 'embed_tokens.weight';

/** Keys and values of a layer, `[batch, groups, tokens, width]`, keys turned to their positions. */
export interface KeysValues {
  keys: Tensor;
  values: Tensor;
}

/** Where the tokens of a decoder stand and what they see. */
export interface Sight {
  /** Broadcast to `[batch, heads, sequence, width]`. */
  rope: Rope;
  /** Added to similarities, `[batch, 1, 1, sequence, keys]`. */
  hide: Tensor;
  /** What the tokens attend to in a layer, by their own keys and values: these alone if left out. */
  recall?: (layer: number, own: KeysValues) => KeysValues;
}

/** Llama, Qwen2 and Qwen3: pre-norm decoders with rotary positions and keys shared by groups of heads. */
export const decoder: Family = {
  types: ['llama', 'qwen2', 'qwen3'],
  prefix: 'model',
  takesTypes: false,
  states(source, { ids, mask }) {
    const { graph } = source.net;
    const positions = positionsOf(graph, mask);
    const hide = graph.binary('Add', hidePadding(graph, mask), hideByDistance(graph, positions, 'causal'));
    const unseen = graph.emit(
      'Unsqueeze',
      [hide, graph.integers([2])],
      [mask.shape[0]!, 1, 1, ...hide.shape.slice(2)],
    );
    return decoderStates(source, ids, { rope: decoderRope(source, positions), hide: unseen });
  },
  classify(source, { mask }, states, labels) {
    return linear(source, lastTokens(source.net, states, mask), 'score', labels, false);
  },
};

/** Rotations for `positions` int64 `[..., sequence]`. */
export function decoderRope({ net: { graph }, config }: Source, positions: Tensor): Rope {
  const frequencies = decoderFrequencies(config, headWidth(config));
  return ropeOf(graph, graph.cast(positions, 'float32'), frequencies, 'rope');
}

/**
 * Final hidden states `[batch, sequence, hidden]` of tokens int64 `[batch, sequence]`. `override` may put other vectors
 * in the place of their embeddings, of the same shape.
 */
export function decoderStates(
  source: Source,
  ids: Tensor,
  sight: Sight,
  override: (embeddings: Tensor) => Tensor = (embeddings) => embeddings,
): Tensor {
  const { net, config, weights } = source;
  config.oneOf('hidden_act', ['silu'], 'silu');
  if (config.flag('use_sliding_window', false)) throw config.wrong('use_sliding_window', 'false');
  const hidden = config.count('hidden_size');
  const inner = config.count('intermediate_size');
  const biased = config.flag('mlp_bias', false);
  let x = override(net.gather(weights.get(TOKEN_EMBEDDINGS, [config.count('vocab_size'), hidden]), ids));
  for (let layer = 0; layer < config.count('num_hidden_layers'); layer++) {
    const prefix = `layers.${layer}`;
    const { hide, rope, recall = (_, own) => own } = sight;
    const seen = attention(source, norm(source, x, `${prefix}.input_layernorm`), `${prefix}.self_attn`, {
      rope,
      hide,
      recall: (own) => recall(layer, own),
    });
    x = net.add(x, seen);
    const y = norm(source, x, `${prefix}.post_attention_layernorm`);
    const gate = silu(net, linear(source, y, `${prefix}.mlp.gate_proj`, inner, biased));
    const product = net.mul(gate, linear(source, y, `${prefix}.mlp.up_proj`, inner, biased));
    x = net.add(x, linear(source, product, `${prefix}.mlp.down_proj`, hidden, biased));
  }
  return norm(source, x, 'norm');
}

function norm({ net, config, weights }: Source, x: Tensor, name: string): Tensor {
  const gain = weights.get(`${name}.weight`, [x.shape.at(-1) as number]);
  return rmsNorm(net, x, gain, config.number('rms_norm_eps', 1e-6));
}

/** Heads of keys and values. */
export const groupsOf = (config: ModelConfig): number =>
  config.count('num_key_value_heads', config.count('num_attention_heads'));

export const headWidth = (config: ModelConfig): number =>
  config.count('head_dim', config.count('hidden_size') / config.count('num_attention_heads'));

function attention(
  source: Source,
  x: Tensor,
  name: string,
  { rope, hide, recall }: { rope: Rope; hide: Tensor; recall: (own: KeysValues) => KeysValues },
): Tensor {
  const { net, config } = source;
  const [batch, length, hidden] = x.shape as [number | string, number | string, number];
  const heads = config.count('num_attention_heads');
  const groups = groupsOf(config);
  const width = headWidth(config);
  const isQwen2 = config.fields.model_type === 'qwen2';
  const biased = config.flag('attention_bias', isQwen2);
  /** `[batch, heads, sequence, width]` */
  const split = (part: 'q' | 'k' | 'v', count: number): Tensor => {
    const y = net.reshape(linear(source, x, `${name}.${part}_proj`, count * width, biased), [
      batch,
      length,
      count,
      width,
    ]);
    const isNormed = config.fields.model_type === 'qwen3' && part !== 'v';
    const heads = net.transpose(isNormed ? norm(source, y, `${name}.${part}_norm`) : y, [0, 2, 1, 3]);
    return part === 'v' ? heads : rotate(net, heads, rope.cos, rope.sin);
  };
  /** Each head of keys and values serves a group of queries. */
  const grouped = (t: Tensor, members: number): Tensor =>
    net.reshape(t, [batch, groups, members, t.shape[2]!, width]);
  const queries = grouped(split('q', heads), heads / groups);
  const { keys, values } = recall({ keys: split('k', groups), values: split('v', groups) });
  const seen = attend(net, queries, grouped(keys, 1), grouped(values, 1), hide);
  const joined = net.reshape(seen, [batch, heads, length, width]);
  const merged = net.reshape(net.transpose(joined, [0, 2, 1, 3]), [batch, length, heads * width]);
  return linear(source, merged, `${name}.o_proj`, hidden, biased && !isQwen2);
}
