import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { writeOnnx } from '../../ts/graph/onnx.ts';

const LETTERS = [...'abcdefghijklmnopqrstuvwxyz'];
const VOCABULARY = [
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  '[MASK]',
  ...LETTERS,
  ...LETTERS.map((letter) => `##${letter}`),
  ...[...'0123456789.,!?-'],
  'sea',
  'river',
  '##ing',
];

/** Every word piece's id in the tiny models. */
export const VOCAB = new Map(VOCABULARY.map((token, id) => [token, id]));

const special = (token: string, id: number) => ({ id, content: token, special: true, normalized: false });

export const TOKENIZER = {
  version: '1.0',
  added_tokens: VOCABULARY.slice(0, 5).map(special),
  normalizer: {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [
      { SpecialToken: { id: '[CLS]', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: '[SEP]', type_id: 0 } },
    ],
    pair: [
      { SpecialToken: { id: '[CLS]', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: '[SEP]', type_id: 0 } },
      { Sequence: { id: 'B', type_id: 1 } },
      { SpecialToken: { id: '[SEP]', type_id: 1 } },
    ],
    special_tokens: {
      '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] },
      '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] },
    },
  },
  decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(VOCAB),
  },
};

/** Files of a model: relative name -> text, bytes, or an object that is written as JSON. */
export type ModelContent = Record<string, string | Uint8Array | object>;

const IDS = { name: 'input_ids', type: 'int64', dims: ['batch', 'sequence'] } as const;
const MASK = { name: 'attention_mask', type: 'int64', dims: ['batch', 'sequence'] } as const;

/** Entry `column` of a token's row: small, different everywhere, of both signs. */
export const weight = (id: number, column: number): number => Math.fround(Math.sin(id * 7 + column * 3 + 1));

function table(columns: number): Float32Array {
  return Float32Array.from({ length: VOCABULARY.length * columns }, (_, i) =>
    weight(Math.floor(i / columns), i % columns),
  );
}

/** An encoder whose token vectors are rows of a table: `last_hidden_state` `[batch, sequence, dim]`. */
export function tinyEncoder(dim = 4, values = table(dim)): ModelContent {
  return {
    'config.json': { model_type: 'bert', vocab_size: VOCABULARY.length, max_position_embeddings: 64 },
    'tokenizer.json': TOKENIZER,
    'tokenizer_config.json': { pad_token: '[PAD]', model_max_length: 32 },
    'modules.json': [
      { idx: 0, name: '0', path: '', type: 'sentence_transformers.models.Transformer' },
      { idx: 1, name: '1', path: '1_Pooling', type: 'sentence_transformers.models.Pooling' },
    ],
    '1_Pooling/config.json': { word_embedding_dimension: dim, pooling_mode_mean_tokens: true },
    'onnx/model.onnx': writeOnnx({
      nodes: [{ op: 'Gather', inputs: ['table', 'input_ids'], outputs: ['last_hidden_state'] }],
      initializers: [{ name: 'table', type: 'float32', dims: [VOCABULARY.length, dim], data: values }],
      inputs: [IDS, MASK],
      outputs: [{ name: 'last_hidden_state', type: 'float32', dims: ['batch', 'sequence', dim] }],
    }),
  };
}

/**
 * A cross-encoder whose logits are sums over the real tokens: label `l` adds `weight(id, l)` for each. `values` may
 * hold the weights of fewer tokens: the graph fails on others.
 */
export function tinyRanker(labels = 1, values = table(labels)): ModelContent {
  return {
    'config.json': { model_type: 'bert', vocab_size: VOCABULARY.length, max_position_embeddings: 64 },
    'tokenizer.json': TOKENIZER,
    'tokenizer_config.json': { pad_token: '[PAD]', model_max_length: 32 },
    'model.onnx': writeOnnx({
      nodes: [
        { op: 'Gather', inputs: ['table', 'input_ids'], outputs: ['rows'] },
        { op: 'Cast', inputs: ['attention_mask'], outputs: ['present'], attributes: { to: 1 } },
        { op: 'Unsqueeze', inputs: ['present', 'last'], outputs: ['column'] },
        { op: 'Mul', inputs: ['rows', 'column'], outputs: ['kept'] },
        { op: 'ReduceSum', inputs: ['kept', 'middle'], outputs: ['logits'], attributes: { keepdims: 0 } },
      ],
      initializers: [
        { name: 'table', type: 'float32', dims: [values.length / labels, labels], data: values },
        { name: 'last', type: 'int64', dims: [1], data: BigInt64Array.of(2n) },
        { name: 'middle', type: 'int64', dims: [1], data: BigInt64Array.of(1n) },
      ],
      inputs: [IDS, MASK],
      outputs: [{ name: 'logits', type: 'float32', dims: ['batch', labels] }],
    }),
  };
}

/** Writes a model, files that are `undefined` left out, and returns its directory. */
export function writeModel(
  directory: string,
  ...contents: Record<string, ModelContent[string] | undefined>[]
): string {
  mkdirSync(directory, { recursive: true });
  for (const [name, content] of Object.entries(Object.assign({}, ...contents) as Partial<ModelContent>)) {
    if (content === undefined) continue;
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    const raw = typeof content === 'string' || content instanceof Uint8Array;
    writeFileSync(join(directory, name), raw ? content : JSON.stringify(content));
  }
  return directory;
}

/** Runs `body` with a folder of its own. */
export async function withFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'seine-models-'));
  try {
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
