import { companions } from '../../models/companions.ts';
import { configText } from '../../models/configText.ts';
import type { FeatureScale, FeatureWeights } from '../../models/featureWeights.ts';
import { FEATURES_FILE } from '../../models/layout.ts';
import { readJson } from '../../models/tokenizer.ts';
import { writeModelFiles } from '../../models/writeModelFiles.ts';
import type { Prepared } from './prepare.ts';
import type { Recipe } from './recipe.ts';

/** Names of models of a type begin with these. */
const CLASSES: Readonly<Record<string, string>> = {
  bert: 'Bert',
  roberta: 'Roberta',
  'xlm-roberta': 'XLMRoberta',
  modernbert: 'ModernBert',
  llama: 'Llama',
  qwen2: 'Qwen2',
  qwen3: 'Qwen3',
};

/** Files that say how an embedder's vectors are made. */
const OF_EMBEDDER = /^(modules|sentence_bert_config|config_sentence_transformers)\.json$|\//;
/** Files about the weights that were, not those that are. */
const OUTDATED = /^(seine|training|features)\.json$/;

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
  { task, objectives = ['relevance'], maxTokens: wanted }: Recipe,
  { files: { directory: from, files }, config, model, maxTokens, features }: Prepared,
  parameters: Float32Array,
): Promise<void> {
  const isEmbedder = task === 'bi-encoder';
  const there = companions(from);
  const isKept = ([name]: [string, unknown]): boolean =>
    !OUTDATED.test(name) && (isEmbedder || !OF_EMBEDDER.test(name));
  const copies = Object.fromEntries(Object.entries(there.copies).filter(isKept));
  const written: Record<string, object | string> = Object.fromEntries(
    Object.entries(there.made).filter(isKept),
  );
  const limit = async (name: string, field: string): Promise<void> => {
    const path = files[name];
    const before = path === undefined ? there.made[name] : await readJson(path);
    written[name] = { ...before, [field]: maxTokens };
    delete copies[name];
  };
  if (wanted !== undefined) {
    await limit('tokenizer_config.json', 'model_max_length');
    if (isEmbedder) await limit('sentence_bert_config.json', 'max_seq_length');
  }
  if (isEmbedder && !('modules.json' in files || 'modules.json' in written)) {
    const pooling = { word_embedding_dimension: config.hidden_size, pooling_mode_mean_tokens: true };
    Object.assign(written, PLAIN_EMBEDDER, { '1_Pooling/config.json': pooling });
  }
  if (features.length > 0)
    written[FEATURES_FILE] = featureWeights(features, parameters.subarray(model.layout.size));
  const { _name_or_path, torch_dtype, ...kept } = config;
  const architectures = (kind: string): string[] => [`${CLASSES[String(config.model_type)]}${kind}`];
  written['config.json'] = configText(from, {
    ...kept,
    dtype: 'float32',
    ...{
      'bi-encoder': {},
      'cross-encoder': {
        architectures: architectures('ForSequenceClassification'),
        num_labels: objectives.length,
        id2label: Object.fromEntries(objectives.map((name, i) => [i, name])),
        label2id: Object.fromEntries(objectives.map((name, i) => [name, i])),
        // Each score is a logit of its own, not one of classes that exclude each other.
        ...(objectives.length > 1 && { problem_type: 'multi_label_classification' }),
      },
      ranker: { architectures: architectures('ForCausalLM') },
    }[task],
  });
  await writeModelFiles(directory, { tensors: model.named(parameters), files: written, copies });
}

/** What was learnt of features: weights `[1 + features]`. */
function featureWeights(features: readonly FeatureScale[], learnt: Float32Array): FeatureWeights {
  const [similarity, ...weights] = learnt;
  return {
    similarity: similarity!,
    features: features.map((feature, i) => ({ ...feature, weight: weights[i]! })),
  };
}
