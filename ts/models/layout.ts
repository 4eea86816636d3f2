/** A model's graph: the first of these that is there. */
export const GRAPHS = ['onnx/model.onnx', 'model.onnx'] as const;

/** Weights of attributes beside an embedder. No part of its hash: vectors do not depend on them. */
export const FEATURES_FILE = 'features.json';

/** Files that a model has beside `config.json`, `tokenizer.json` and its graph, each only if it needs it. */
export const OPTIONAL_FILES = [
  'tokenizer_config.json',
  'modules.json',
  '1_Pooling/config.json',
  'sentence_bert_config.json',
  'config_sentence_transformers.json',
  'seine.json',
  'prompt.json',
  FEATURES_FILE,
] as const;
