import { type BertConfig, bertEncoder, bertShapes, classificationHead, type Parameters } from '../bert.ts';
import { WORD_EMBEDDINGS } from '../bertWeights.ts';
import type { Tensor } from '../graph.ts';
import type { ModelConfig } from '../modelConfig.ts';
import type { Family, Source, TextInputs, Weights } from './family.ts';

/** BERT (J. Devlin et al., 2018). */
export const bert: Family = {
  types: ['bert'],
  prefix: 'bert',
  takesTypes: true,
  states: (source, inputs) => encode(source, inputs, undefined),
  classify({ net, config, weights }, _, states, labels) {
    return classificationHead(net, parametersOf(weights, bertConfig(config), labels, isOfHead), states);
  },
};

const isOfHead = (name: string): boolean => /^(pooler|classifier)\./.test(name);

/** Hidden states of BERT and of what differs from it in the `positions` only, int64 `[batch, sequence]`. */
export function encode(
  { net, config, weights }: Source,
  { ids, mask, types }: TextInputs,
  positions: Tensor | undefined,
): Tensor {
  const shape = bertConfig(config);
  const table = weights.get(WORD_EMBEDDINGS, [shape.vocab_size, shape.hidden_size]);
  const parameters = parametersOf(weights, shape, 1, (name) => !isOfHead(name));
  return bertEncoder(net, shape, parameters, {
    tokens: net.gather(table, ids),
    attention_mask: mask,
    token_type_ids: types,
    positions,
  });
}

function bertConfig(config: ModelConfig): BertConfig {
  config.oneOf('hidden_act', ['gelu'], 'gelu');
  config.oneOf('position_embedding_type', ['absolute'], 'absolute');
  return {
    hidden_size: config.count('hidden_size'),
    intermediate_size: config.count('intermediate_size'),
    num_attention_heads: config.count('num_attention_heads'),
    num_hidden_layers: config.count('num_hidden_layers'),
    vocab_size: config.count('vocab_size'),
    max_position_embeddings: config.count('max_position_embeddings'),
    type_vocab_size: config.count('type_vocab_size'),
    layer_norm_eps: config.number('layer_norm_eps', 1e-12),
  };
}

function parametersOf(
  weights: Weights,
  config: BertConfig,
  labels: number,
  wanted: (name: string) => boolean,
): Parameters {
  const named = Object.entries(bertShapes(config, labels)).filter(([name]) => wanted(name));
  return Object.fromEntries(
    named.map(([name, shape]) => {
      const [from, to] = shape;
      const isTable = to === undefined || name.startsWith('embeddings.');
      return [name, isTable ? weights.get(name, shape) : weights.matrix(name, from!, to)];
    }),
  );
}
