import { exportModel } from '../../models/exportModel.ts';
import { readJson } from '../../models/tokenizer.ts';
import type { Prepared } from './prepare.ts';
import type { Recipe } from './recipe.ts';

/** Names of models for sequence classification begin with these. */
const CLASSES: Readonly<Record<string, string>> = {
  bert: 'Bert',
  roberta: 'Roberta',
  'xlm-roberta': 'XLMRoberta',
  modernbert: 'ModernBert',
  llama: 'Llama',
  qwen2: 'Qwen2',
  qwen3: 'Qwen3',
};

/** Files of an embedder that say how its vectors are made. */
const EMBEDDER_FILES = ['modules.json', '1_Pooling/config.json', 'config_sentence_transformers.json'];

/** What `openEmbedder` takes a model without `modules.json` to be, with vectors of unit length. */
const PLAIN_EMBEDDER = {
  'modules.json': [
    { idx: 0, name: '0', path: '', type: 'sentence_transformers.models.Transformer' },
    { idx: 1, name: '1', path: '1_Pooling', type: 'sentence_transformers.models.Pooling' },
    { idx: 2, name: '2', path: '2_Normalize', type: 'sentence_transformers.models.Normalize' },
  ],
};

/** Writes what was trained as an ordinary model: configuration, tokenizer and weights, by the names of Hugging Face. */
export async function exportTrained(
  directory: string,
  { task, maxTokens: wanted }: Recipe,
  { files: { files }, config, model, maxTokens }: Prepared,
  parameters: Float32Array,
): Promise<void> {
  const { _name_or_path, torch_dtype, ...kept } = config;
  const copied = ['tokenizer.json'];
  const written: Record<string, object> = {};
  const copies = () =>
    Object.fromEntries(copied.filter((name) => name in files).map((name) => [name, files[name]!]));
  const tokenizerConfig = files['tokenizer_config.json'];
  const { name_or_path, ...tokens } = tokenizerConfig === undefined ? {} : await readJson(tokenizerConfig);
  written['tokenizer_config.json'] =
    wanted === undefined ? tokens : { ...tokens, model_max_length: maxTokens };
  if (task === 'bi-encoder') {
    copied.push(...EMBEDDER_FILES);
    if (!('modules.json' in files)) {
      const { hidden_size: dim } = config;
      Object.assign(written, PLAIN_EMBEDDER, {
        '1_Pooling/config.json': { word_embedding_dimension: dim, pooling_mode_mean_tokens: true },
      });
    }
    const sentence = files['sentence_bert_config.json'];
    if (sentence !== undefined) {
      written['sentence_bert_config.json'] = { ...(await readJson(sentence)), max_seq_length: maxTokens };
    }
    written['config.json'] = { ...kept, dtype: 'float32' };
  } else {
    written['config.json'] = {
      ...kept,
      dtype: 'float32',
      architectures: [`${CLASSES[String(config.model_type)]}ForSequenceClassification`],
      num_labels: 1,
      id2label: { 0: 'relevance' },
      label2id: { relevance: 0 },
    };
  }
  await exportModel(directory, { tensors: model.named(parameters), files: written, copies: copies() });
}
