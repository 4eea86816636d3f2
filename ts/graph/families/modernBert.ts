import { attend } from '../attend.ts';
import { part, rotate } from '../decoderOps.ts';
import type { Tensor } from '../graph.ts';
import { hideByDistance, hidePadding, meanTokens, positionsOf } from '../positions.ts';
import { frequenciesOf, type Rope, ropeOf } from '../rope.ts';
import { type Family, linear, type Source } from './family.ts';

/** ModernBERT (B. Warner et al., 2024): pre-norm, rotary positions, most layers see a window only. */
export const modernBert: Family = {
  types: ['modernbert'],
  prefix: 'model',
  takesTypes: false,
  states(source, { ids, mask }) {
    const { net, config, weights } = source;
    const { graph } = net;
    config.oneOf('hidden_activation', ['gelu'], 'gelu');
    const hidden = config.count('hidden_size');
    const width = hidden / config.count('num_attention_heads');
    const positions = positionsOf(graph, mask);
    const at = graph.cast(positions, 'float32');
    const padding = hidePadding(graph, mask);
    const near = hideByDistance(graph, positions, {
      within: Math.floor(config.count('local_attention', 128) / 2),
    });
    const full = {
      rope: ropeOf(graph, at, frequenciesOf(theta(source, 'full'), width), 'rope.full'),
      hide: padding,
    };
    const local = {
      rope: ropeOf(graph, at, frequenciesOf(theta(source, 'sliding'), width), 'rope.sliding'),
      hide: graph.binary('Add', padding, near),
    };
    const inner = config.count('intermediate_size');
    const biased = config.flag('mlp_bias', false);
    const table = weights.get('embeddings.tok_embeddings.weight', [config.count('vocab_size'), hidden]);
    let x = net.dropout(norm(source, net.gather(table, ids), 'embeddings.norm'));
    for (let layer = 0; layer < config.count('num_hidden_layers'); layer++) {
      const prefix = `layers.${layer}`;
      const { rope, hide } = layer % config.count('global_attn_every_n_layers', 3) === 0 ? full : local;
      const y = layer === 0 ? x : norm(source, x, `${prefix}.attn_norm`);
      x = net.add(x, attention(source, y, `${prefix}.attn`, rope, hide));
      const both = linear(
        source,
        norm(source, x, `${prefix}.mlp_norm`),
        `${prefix}.mlp.Wi`,
        2 * inner,
        biased,
      );
      const gated = net.mul(net.gelu(part(net, both, 2, 0, inner)), part(net, both, 2, inner, 2 * inner));
      x = net.add(x, linear(source, net.dropout(gated), `${prefix}.mlp.Wo`, hidden, biased));
    }
    return norm(source, x, 'final_norm');
  },
  classify(source, { mask }, states, labels) {
    const { net, config } = source;
    config.oneOf('classifier_activation', ['gelu'], 'gelu');
    const pooled =
      config.oneOf('classifier_pooling', ['cls', 'mean'], 'cls') === 'mean'
        ? meanTokens(net, states, mask)
        : net.first(states);
    const biased = config.flag('classifier_bias', false);
    const inner = net.gelu(linear(source, pooled, 'head.dense', states.shape[2] as number, biased));
    return linear(source, norm(source, inner, 'head.norm'), 'classifier', labels, true);
  },
};

/** Base of the frequencies; older configurations have it by the names `global_rope_theta` and `local_rope_theta`. */
function theta({ config }: Source, kind: 'full' | 'sliding'): number {
  const { rope_parameters: parameters } = config.fields as {
    rope_parameters?: Record<string, { rope_theta?: unknown; rope_type?: unknown }>;
  };
  const own = parameters?.[`${kind}_attention`];
  if (own?.rope_type !== undefined && own.rope_type !== 'default') {
    throw config.wrong('rope_parameters', 'of the type default');
  }
  if (typeof own?.rope_theta === 'number') return own.rope_theta;
  return kind === 'full'
    ? config.number('global_rope_theta', 160_000)
    : config.number('local_rope_theta', 10_000);
}

function norm({ net, config, weights }: Source, x: Tensor, name: string): Tensor {
  const dim = x.shape.at(-1) as number;
  const bias = config.flag('norm_bias', false)
    ? weights.get(`${name}.bias`, [dim])
    : net.graph.constantVector('no_bias', new Float32Array(dim));
  return net.layerNorm(x, weights.get(`${name}.weight`, [dim]), bias, config.number('norm_eps', 1e-5));
}

function attention(source: Source, x: Tensor, name: string, { cos, sin }: Rope, hide: Tensor): Tensor {
  const { net, config } = source;
  const [batch, length, hidden] = x.shape as [number | string, number | string, number];
  const heads = config.count('num_attention_heads');
  const width = hidden / heads;
  const biased = config.flag('attention_bias', false);
  const all = net.reshape(linear(source, x, `${name}.Wqkv`, 3 * hidden, biased), [
    batch,
    length,
    3 * heads,
    width,
  ]);
  const turned = net.transpose(all, [0, 2, 1, 3]);
  const [queries, keys, values] = [0, 1, 2].map((i) => part(net, turned, 1, i * heads, (i + 1) * heads)) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  const seen = attend(net, rotate(net, queries, cos, sin), rotate(net, keys, cos, sin), values, hide);
  const merged = net.reshape(net.transpose(seen, [0, 2, 1, 3]), [batch, length, hidden]);
  return net.dropout(linear(source, merged, `${name}.Wo`, hidden, biased));
}
