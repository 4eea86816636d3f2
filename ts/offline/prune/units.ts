import { SeineError, show } from '../../core/errors.ts';
import type { ModelConfig } from '../../graph/modelConfig.ts';

/** What of a layer can be left out, each unit for itself: neurons of its MLP, or groups of its heads. */
export interface Units {
  count: number;
  /** The matrix `[hidden, columns]` that reads what the units give, and its columns that belong to a unit. */
  output: string;
  columns(unit: number): number[];
  /** The layers, with or without bias, that make what the units give, and their rows that belong to a unit. */
  inputs: { name: string; rows(unit: number): number[] }[];
}

const BERTS = ['bert', 'roberta', 'xlm-roberta'];
const DECODERS = ['llama', 'qwen2', 'qwen3'];

const range = (from: number, length: number): number[] => Array.from({ length }, (_, i) => from + i);

export function neuronsOf(config: ModelConfig, layer: number): Units {
  const count = config.count('intermediate_size');
  const one = (unit: number): number[] => [unit];
  const type = String(config.fields.model_type);
  if (BERTS.includes(type)) {
    const prefix = `encoder.layer.${layer}`;
    const inputs = [{ name: `${prefix}.intermediate.dense`, rows: one }];
    return { count, output: `${prefix}.output.dense.weight`, columns: one, inputs };
  }
  const prefix = `layers.${layer}.mlp`;
  if (type === 'modernbert') {
    const inputs = [{ name: `${prefix}.Wi`, rows: (unit: number) => [unit, count + unit] }];
    return { count, output: `${prefix}.Wo.weight`, columns: one, inputs };
  }
  const inputs = ['gate_proj', 'up_proj'].map((name) => ({ name: `${prefix}.${name}`, rows: one }));
  return { count, output: `${prefix}.down_proj.weight`, columns: one, inputs };
}

/**
 * Heads of keys and values with the heads of queries that share them. Throws `ERR_ARGUMENT` for families whose
 * configuration has no width of a head of its own, so that fewer heads cannot be told.
 */
export function headsOf(config: ModelConfig, layer: number): Units {
  requireType(config, DECODERS, 'heads can be pruned', 'prune neurons or layers of this one');
  const heads = config.count('num_attention_heads');
  const count = config.count('num_key_value_heads', heads);
  const width = headWidth(config);
  const prefix = `layers.${layer}.self_attn`;
  const size = (heads / count) * width;
  const queries = (unit: number): number[] => range(unit * size, size);
  const keys = (unit: number): number[] => range(unit * width, width);
  return {
    count,
    output: `${prefix}.o_proj.weight`,
    columns: queries,
    inputs: [
      { name: `${prefix}.q_proj`, rows: queries },
      { name: `${prefix}.k_proj`, rows: keys },
      { name: `${prefix}.v_proj`, rows: keys },
    ],
  };
}

export const headWidth = (config: ModelConfig): number =>
  config.count('head_dim', config.count('hidden_size') / config.count('num_attention_heads'));

/** Throws `ERR_ARGUMENT` for ModernBERT, whose layers differ by their place. */
export function requireLayers(config: ModelConfig): void {
  requireType(config, [...BERTS, ...DECODERS], 'layers can be pruned', 'prune neurons of this one');
}

function requireType(config: ModelConfig, types: readonly string[], what: string, instead: string): void {
  const type = config.fields.model_type;
  if (types.includes(type as string)) return;
  throw new SeineError(
    'ERR_ARGUMENT',
    `The model should be of one of the types ${types.join(', ')}, whose ${what}, but is of the type ${show(type)}: ` +
      `${instead}.`,
  );
}
