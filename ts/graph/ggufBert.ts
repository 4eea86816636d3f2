import type { GgufArchitecture } from './ggufArchitecture.ts';

/**
 * Encoders that llama.cpp calls `bert`: BERT, and RoBERTa and XLM-R, whose table of positions it cuts so that they are
 * counted from 0 as BERT's are.
 */
export const ggufBert: GgufArchitecture = {
  names: ['bert'],
  types: () => ['bert', 'roberta', 'xlm-roberta'],
  configOf(fields) {
    fields.only('attention.causal', false, 'reads from left to right');
    return {
      architectures: ['BertModel'],
      model_type: 'bert',
      hidden_act: 'gelu',
      hidden_size: fields.number('embedding_length'),
      intermediate_size: fields.number('feed_forward_length'),
      num_hidden_layers: fields.number('block_count'),
      num_attention_heads: fields.number('attention.head_count'),
      max_position_embeddings: fields.rowsOf('position_embd.weight'),
      type_vocab_size: fields.rowsOf('token_types.weight'),
      layer_norm_eps: fields.number('attention.layer_norm_epsilon'),
      vocab_size: fields.rowsOf('token_embd.weight'),
      pad_token_id: fields.token('padding') ?? 0,
    };
  },
  top: {
    'token_embd.weight': 'embeddings.word_embeddings.weight',
    'position_embd.weight': 'embeddings.position_embeddings.weight',
    'token_types.weight': 'embeddings.token_type_embeddings.weight',
    'token_embd_norm.weight': 'embeddings.LayerNorm.weight',
    'token_embd_norm.bias': 'embeddings.LayerNorm.bias',
  },
  layers: 'encoder.layer',
  ofLayer: {
    attn_q: 'attention.self.query',
    attn_k: 'attention.self.key',
    attn_v: 'attention.self.value',
    attn_output: 'attention.output.dense',
    attn_output_norm: 'attention.output.LayerNorm',
    ffn_up: 'intermediate.dense',
    ffn_down: 'output.dense',
    layer_output_norm: 'output.LayerNorm',
  },
};
