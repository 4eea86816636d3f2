import { readTensor } from './checkpointTensor.ts';
import type { GgufArchitecture } from './ggufArchitecture.ts';

/** Factors of RoPE's frequencies, which llama.cpp keeps as a tensor. */
export const FREQUENCY_FACTORS = 'rope_freqs.weight';

const CLASSES: Readonly<Record<string, string>> = { llama: 'Llama', qwen2: 'Qwen2', qwen3: 'Qwen3' };

/** Llama, Qwen2 and Qwen3. */
export const ggufDecoder: GgufArchitecture = {
  names: Object.keys(CLASSES),
  types: (name) => [name],
  configOf(fields) {
    const { architecture, gguf } = fields;
    fields.only('rope.scaling.type', 'none', 'scales its positions');
    const hidden = fields.number('embedding_length');
    const heads = fields.number('attention.head_count');
    const factors = gguf.tensors.get(FREQUENCY_FACTORS);
    return {
      architectures: [`${CLASSES[architecture]}ForCausalLM`],
      model_type: architecture,
      hidden_act: 'silu',
      hidden_size: hidden,
      intermediate_size: fields.number('feed_forward_length'),
      num_hidden_layers: fields.number('block_count'),
      num_attention_heads: heads,
      num_key_value_heads: fields.number('attention.head_count_kv', heads),
      head_dim: fields.number('attention.key_length', hidden / heads),
      max_position_embeddings: fields.number('context_length'),
      rms_norm_eps: fields.number('attention.layer_norm_rms_epsilon'),
      rope_theta: fields.number('rope.freq_base', 10_000),
      ...(factors && { rope_frequency_factors: [...readTensor(FREQUENCY_FACTORS, factors)] }),
      vocab_size: fields.rowsOf('token_embd.weight'),
      tie_word_embeddings: !gguf.tensors.has('output.weight'),
      bos_token_id: fields.token('bos'),
      eos_token_id: fields.token('eos'),
      pad_token_id: fields.token('padding'),
    };
  },
  top: {
    'token_embd.weight': 'model.embed_tokens.weight',
    'output_norm.weight': 'model.norm.weight',
    'output.weight': 'lm_head.weight',
  },
  layers: 'model.layers',
  ofLayer: {
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
  },
};
