import { SeineError, show } from '../core/errors.ts';
import { type CheckpointTensor, readTensor } from './checkpointTensor.ts';
import type { Gguf, GgufValue } from './gguf.ts';

/** Architectures that a GGUF may have here; their names are those of `model_type`, too. */
const ARCHITECTURES = ['llama', 'qwen2', 'qwen3'];

const TOP: Readonly<Record<string, string>> = {
  'token_embd.weight': 'model.embed_tokens.weight',
  'output_norm.weight': 'model.norm.weight',
  'output.weight': 'lm_head.weight',
};
const OF_LAYER: Readonly<Record<string, string>> = {
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  attn_q_norm: 'self_attn.q_norm',
  attn_k_norm: 'self_attn.k_norm',
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
};
/** Factors of RoPE's frequencies, which llama.cpp keeps as a tensor. */
const FREQUENCY_FACTORS = 'rope_freqs.weight';

/** `config.json` as the metadata of a GGUF tell it. Throws `ERR_MODEL` for an architecture that is not known. */
export function huggingFaceConfig({ metadata, tensors }: Gguf, path: string): Record<string, unknown> {
  const architecture = metadata.get('general.architecture');
  if (typeof architecture !== 'string' || !ARCHITECTURES.includes(architecture)) {
    throw new SeineError(
      'ERR_MODEL',
      `${path} should be of one of the architectures ${ARCHITECTURES.join(', ')}, but is of ${show(architecture)}: ` +
        'choose another model.',
    );
  }
  const number = (key: string, otherwise?: number): number => {
    const value = metadata.get(`${architecture}.${key}`) ?? otherwise;
    if (typeof value === 'number') return value;
    throw new SeineError(
      'ERR_MODEL',
      `${path} should give ${architecture}.${key} as a number, got ${show(value)}: fetch it again.`,
    );
  };
  const scaling = metadata.get(`${architecture}.rope.scaling.type`) ?? 'none';
  if (scaling !== 'none') {
    throw new SeineError(
      'ERR_MODEL',
      `${path} scales its positions by ${show(scaling)}, which Seine does not: choose another model.`,
    );
  }
  const hidden = number('embedding_length');
  const heads = number('attention.head_count');
  const factors = tensors.get(FREQUENCY_FACTORS);
  const token = (key: string): GgufValue | undefined => metadata.get(`tokenizer.ggml.${key}_token_id`);
  return {
    architectures: [`${{ llama: 'Llama', qwen2: 'Qwen2', qwen3: 'Qwen3' }[architecture]}ForCausalLM`],
    model_type: architecture,
    hidden_act: 'silu',
    hidden_size: hidden,
    intermediate_size: number('feed_forward_length'),
    num_hidden_layers: number('block_count'),
    num_attention_heads: heads,
    num_key_value_heads: number('attention.head_count_kv', heads),
    head_dim: number('attention.key_length', hidden / heads),
    max_position_embeddings: number('context_length'),
    rms_norm_eps: number('attention.layer_norm_rms_epsilon'),
    rope_theta: number('rope.freq_base', 10_000),
    ...(factors && { rope_frequency_factors: [...readTensor(FREQUENCY_FACTORS, factors)] }),
    vocab_size: tensors.get('token_embd.weight')?.shape[0],
    tie_word_embeddings: !tensors.has('output.weight'),
    bos_token_id: token('bos'),
    eos_token_id: token('eos'),
    pad_token_id: token('padding'),
  };
}

/**
 * The tensors under their Hugging Face names. llama.cpp keeps the rows of a Llama's queries and keys so that RoPE turns
 * neighbours, not halves: these say so by `interleaved`. Throws `ERR_MODEL` for a tensor that is not known.
 */
export function huggingFaceTensors(
  { tensors }: Gguf,
  config: Readonly<Record<string, unknown>>,
): Map<string, CheckpointTensor> {
  const named = new Map<string, CheckpointTensor>();
  for (const [name, tensor] of tensors) {
    if (name === FREQUENCY_FACTORS) continue;
    const [, layer, part, kind] = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(name) ?? [];
    const inner = OF_LAYER[part ?? ''];
    const known = TOP[name] ?? (inner && `model.layers.${layer}.${inner}.${kind}`);
    if (known === undefined) {
      throw new SeineError(
        'ERR_MODEL',
        `${tensor.path} has a tensor ${show(name)}, which no ${config.model_type} has: choose another model.`,
      );
    }
    const turned = config.model_type === 'llama' && (part === 'attn_q' || part === 'attn_k');
    const heads = Number(part === 'attn_q' ? config.num_attention_heads : config.num_key_value_heads);
    named.set(known, turned ? { ...tensor, interleaved: heads } : tensor);
  }
  return named;
}
