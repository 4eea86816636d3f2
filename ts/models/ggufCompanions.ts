import { join } from 'node:path';
import { SeineError } from '../core/errors.ts';
import { weightFiles } from '../graph/checkpoint.ts';
import { type Gguf, readGguf } from '../graph/gguf.ts';

/** What llama.cpp writes for `general.architecture` bert before a token that begins a word. */
const WORD_START = '\u2581';
/** `tokenizer.ggml.token_type` of special tokens. */
const CONTROL = 3;
/** `bert.pooling_type`; where it is 0 or left out, sentence-transformers takes the mean. */
const POOLINGS: Readonly<Record<number, string>> = { 1: 'mean_tokens', 2: 'cls_token', 3: 'lasttoken' };

/** Path of the GGUF that holds the weights of a model's directory, if it is one. Throws `ERR_MODEL` for several. */
export function ggufOf(directory: string): string | undefined {
  const name = weightFiles(directory).find((file) => file.endsWith('.gguf'));
  return name === undefined ? undefined : join(directory, name);
}

/**
 * Files of a model that the metadata of its GGUF stand for, by their relative names: the vocabulary of a WordPiece
 * tokenizer and how token vectors are pooled. Without a vocabulary of this kind, none. Errors: those of `readGguf`,
 * `ERR_MODEL` if the vocabulary is not whole.
 */
export function ggufCompanions(path: string): Record<string, object> {
  const gguf = readGguf(path);
  if (gguf.metadata.get('tokenizer.ggml.model') !== 'bert') return {};
  const special = specialTokens(gguf);
  const tokens = tokensOf(gguf, path);
  const named = Object.entries(special).filter(([, id]) => tokens[id]?.special);
  return {
    'tokenizer.json': wordPiece(tokens, special, path),
    'tokenizer_config.json': {
      tokenizer_class: 'BertTokenizer',
      ...Object.fromEntries(named.map(([kind, id]) => [`${kind}_token`, tokens[id]!.text])),
    },
    ...pooling(gguf),
  };
}

interface Token {
  text: string;
  special: boolean;
}

interface SpecialTokens {
  unk: number;
  cls: number;
  sep: number;
  pad: number;
  mask: number;
}

/** Where the file does not name them, llama.cpp takes those of BERT's first vocabulary. */
function specialTokens({ metadata }: Gguf): SpecialTokens {
  const id = (otherwise: number, ...kinds: string[]): number => {
    const known = kinds.map((kind) => metadata.get(`tokenizer.ggml.${kind}_token_id`));
    return Number(known.find((value) => value !== undefined) ?? otherwise);
  };
  return {
    unk: id(100, 'unknown'),
    cls: id(101, 'cls', 'bos'),
    sep: id(102, 'seperator', 'separator', 'eos'), // spelt so by llama.cpp
    pad: id(0, 'padding'),
    mask: id(103, 'mask'),
  };
}

/** By their ids. */
function tokensOf({ metadata }: Gguf, path: string): Token[] {
  const tokens = metadata.get('tokenizer.ggml.tokens');
  const types = metadata.get('tokenizer.ggml.token_type');
  if (!Array.isArray(tokens) || !Array.isArray(types) || tokens.length !== types.length) {
    throw new SeineError(
      'ERR_MODEL',
      `${path} should give tokenizer.ggml.tokens, and tokenizer.ggml.token_type for each of them: put tokenizer.json ` +
        'of the model beside it.',
    );
  }
  return tokens.map((token, id) => {
    const written = String(token);
    if (types[id] === CONTROL) return { text: written, special: true };
    const begins = written.startsWith(WORD_START);
    return { text: begins ? written.slice(WORD_START.length) : `##${written}`, special: false };
  });
}

/** As `tokenizer.json` of a BERT; it tells cases apart if its vocabulary has capital letters. */
function wordPiece(tokens: readonly Token[], { unk, cls, sep }: SpecialTokens, path: string): object {
  const missing = Object.entries({ unknown: unk, cls, seperator: sep }).find(
    ([, id]) => !tokens[id]?.special,
  );
  if (missing !== undefined) {
    throw new SeineError(
      'ERR_MODEL',
      `${path} should have a special token with the id ${missing[1]}, its tokenizer.ggml.${missing[0]}_token_id: put ` +
        'tokenizer.json of the model beside it.',
    );
  }
  const [unknown, first, last] = [unk, cls, sep].map((id) => tokens[id]!.text) as [string, string, string];
  const place = (id: string, type: number): object => ({ SpecialToken: { id, type_id: type } });
  const text = (id: string, type: number): object => ({ Sequence: { id, type_id: type } });
  const single = [place(first, 0), text('A', 0), place(last, 0)];
  // Not all letters that count as capitals have a small one: ℝ is in vocabularies without cases, too.
  const cased = tokens.some(({ text, special }) => !special && text !== text.toLowerCase());
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [...tokens.entries()]
      .filter(([, token]) => token.special)
      .map(([id, token]) => ({
        ...{ id, content: token.text, single_word: false, lstrip: false, rstrip: false },
        ...{ normalized: false, special: true },
      })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: !cased,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single,
      pair: [...single, text('B', 1), place(last, 1)],
      special_tokens: {
        [first]: { id: first, ids: [cls], tokens: [first] },
        [last]: { id: last, ids: [sep], tokens: [last] },
      },
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: unknown,
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(tokens.map(({ text }, id) => [text, id])),
    },
  };
}

function pooling({ metadata }: Gguf): Record<string, object> {
  const mode = POOLINGS[Number(metadata.get('bert.pooling_type') ?? 0)];
  if (mode === undefined) return {};
  const of = (idx: number, name: string, path: string): object => ({
    ...{ idx, name: String(idx), path, type: `sentence_transformers.models.${name}` },
  });
  return {
    'modules.json': [of(0, 'Transformer', ''), of(1, 'Pooling', '1_Pooling')],
    '1_Pooling/config.json': {
      word_embedding_dimension: metadata.get('bert.embedding_length'),
      [`pooling_mode_${mode}`]: true,
    },
  };
}
