import { readFile } from 'node:fs/promises';
import { Tokenizer as Library } from '@huggingface/tokenizers';
import { SeineError, show } from '../core/errors.ts';
import { encodesByWords, type TokenizerJson, WordPieces } from './wordPieces.ts';

export interface TokenIds {
  /** Token ids, special tokens included. */
  ids: Int32Array;
  /** Segment of each token: 0, or 1 for the second text of a pair. */
  types: Uint8Array;
  /** Whether something was cut off to stay within the limit. */
  truncated: boolean;
}

export interface PartIds {
  ids: number[];
  truncated: boolean;
}

/** Text to token ids as the model's own files say. Any string is legal, lone surrogates and `''` included. */
export interface Tokenizer {
  /** Largest token id plus one: rows that the model's embedding table must have. */
  readonly size: number;
  readonly padId: number;
  /** Special tokens by their names. */
  readonly specialTokens: ReadonlyMap<string, number>;
  /** Special tokens around a single text, and around and between the texts of a pair. */
  readonly specials: { single: number; pair: number };
  /** At most `limit` ids of a text without special tokens. */
  part(text: string, limit: number): PartIds;
  /** As `part`, but names of special tokens in the text are mere characters. */
  plain(text: string, limit: number): PartIds;
  /** Ids with special tokens, at most `maxTokens`. */
  single(text: string, maxTokens: number): TokenIds;
  /** Puts two texts without special tokens together; both are taken whole. */
  pair(first: PartIds, second: PartIds): TokenIds;
}

/**
 * A tokenizer looks at no more than this many UTF-16 units for each token that is wanted (white space between words
 * aside for WordPiece), so that megabytes of text cost no time for the few hundred tokens that a model takes. Languages
 * have 1 to 6 a token; only runs of characters that a tokenizer merges or drops by the dozen come out otherwise.
 */
const UNITS_PER_TOKEN = 128;

/** Opens `tokenizer.json` and, where there is one, `tokenizer_config.json`. Throws `ERR_MODEL` if they are unusable. */
export async function openTokenizer(tokenizerPath: string, configPath?: string): Promise<Tokenizer> {
  const json = (await readJson(tokenizerPath)) as TokenizerJson;
  const config = configPath === undefined ? {} : await readJson(configPath);
  return tokenizerOf(json, config, tokenizerPath);
}

/** The tokenizer that these files of `path` describe. Throws `ERR_MODEL` if they are unusable. */
export function tokenizerOf(json: TokenizerJson, config: Record<string, unknown>, path: string): Tokenizer {
  // The library insists on the keys; the format lets an absent one stand for null.
  const whole = {
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    added_tokens: [],
    ...json,
  };
  let library: Library;
  try {
    library = new Library(whole, config);
  } catch (error) {
    throw new SeineError(
      'ERR_MODEL',
      `${path} should describe a tokenizer of the tokenizers library but does not ` +
        `(${error instanceof Error ? error.message : String(error)}): fetch the model again.`,
      { cause: error },
    );
  }
  const added = (json.added_tokens ?? []) as { content: string; id: number; special?: boolean }[];
  const ordinary = added.filter(({ special }) => !special);
  return fromLibrary(library, json, config, {
    specialTokens: new Map(added.filter(({ special }) => special).map(({ content, id }) => [content, id])),
    openPlain: () => new Library({ ...whole, added_tokens: ordinary }, config),
  });
}

/** Reads a JSON object, or array as an object of its indices, of a model. Throws `ERR_MODEL` naming the file. */
export async function readJson(
  path: string,
  kind: 'object' | 'array' = 'object',
): Promise<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new SeineError(
      'ERR_MODEL',
      `The model's file ${path} should be readable JSON but is not ` +
        `(${error instanceof Error ? error.message : String(error)}): fetch or export the model again.`,
      { cause: error },
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value) !== (kind === 'array')) {
    throw new SeineError(
      'ERR_MODEL',
      `The model's file ${path} should hold a JSON ${kind}, got ${show(value)}: fetch the model again.`,
    );
  }
  return value as Record<string, unknown>;
}

interface Specials {
  specialTokens: ReadonlyMap<string, number>;
  /** The tokenizer without them. */
  openPlain: () => Library;
}

function fromLibrary(
  library: Library,
  json: TokenizerJson,
  config: Record<string, unknown>,
  { specialTokens, openPlain }: Specials,
): Tokenizer {
  const raw = (text: string): number[] => library.encode(text, { add_special_tokens: false }).ids;
  const words = encodesByWords(json, config) ? new WordPieces(library) : undefined;
  const { single, pair } = templates(library, raw);

  let size = 0;
  for (const id of library.get_vocab().values()) size = Math.max(size, id + 1);

  const part = (text: string, limit: number): PartIds => {
    const longest = limit * UNITS_PER_TOKEN;
    if (words !== undefined) {
      const ids: number[] = [];
      const truncated = words.append(text, ids, limit, longest);
      return { ids, truncated };
    }
    return cut(raw(text.slice(0, longest)), text.length > longest, limit);
  };

  let plainLibrary: Library | undefined; // opened when it is needed: it is as large as the other
  const plain = (text: string, limit: number): PartIds => {
    plainLibrary ??= openPlain();
    const longest = limit * UNITS_PER_TOKEN;
    const { ids } = plainLibrary.encode(text.slice(0, longest), { add_special_tokens: false });
    return cut(ids, text.length > longest, limit);
  };

  return {
    size,
    padId: padId(library, config),
    specialTokens,
    specials: { single: count(single), pair: count(pair) },
    part,
    plain,
    single: (text, maxTokens) => compose(single, [part(text, maxTokens - count(single))]),
    pair: (first, second) => compose(pair, [first, second]),
  };
}

function cut(ids: number[], longer: boolean, limit: number): PartIds {
  const truncated = longer || ids.length > limit;
  if (ids.length > limit) ids.length = limit;
  return { ids, truncated };
}

/** Special tokens with their types, and the places (index of the text) where texts go. */
type Template = ({ id: number; type: number } | { text: number; type: number })[];

const count = (template: Template): number => template.filter((slot) => 'id' in slot).length;

/** The post-processor's templates, found by encoding probes: so every kind of post-processor is understood. */
function templates(library: Library, raw: (text: string) => number[]): { single: Template; pair: Template } {
  const probe = (texts: [string] | [string, string]): Template => {
    const encoding = library.encode(texts[0], { text_pair: texts[1] ?? null, return_token_type_ids: true });
    const types = encoding.token_type_ids ?? [];
    const template: Template = [];
    let at = 0;
    texts.forEach((text, index) => {
      const ids = raw(text);
      if (ids.length === 0) {
        throw new SeineError(
          'ERR_MODEL',
          `The tokenizer should give tokens for "${text}" but gives none: fetch the model again.`,
        );
      }
      while (at < encoding.ids.length && !ids.every((id, i) => encoding.ids[at + i] === id)) {
        template.push({ id: encoding.ids[at]!, type: types[at] ?? 0 });
        at++;
      }
      template.push({ text: index, type: types[at] ?? 0 });
      at += ids.length;
    });
    for (; at < encoding.ids.length; at++) template.push({ id: encoding.ids[at]!, type: types[at] ?? 0 });
    return template;
  };
  return { single: probe(['x']), pair: probe(['x', 'y']) };
}

function compose(template: Template, parts: PartIds[]): TokenIds {
  const total = parts.reduce((sum, { ids }) => sum + ids.length, count(template));
  const ids = new Int32Array(total);
  const types = new Uint8Array(total);
  let at = 0;
  for (const slot of template) {
    if ('id' in slot) {
      ids[at] = slot.id;
      types[at++] = slot.type;
    } else {
      const part = parts[slot.text]!.ids;
      ids.set(part, at);
      types.fill(slot.type, at, at + part.length);
      at += part.length;
    }
  }
  return { ids, types, truncated: parts.some(({ truncated }) => truncated) };
}

function padId(library: Library, config: Record<string, unknown>): number {
  const named = config.pad_token;
  const content =
    typeof named === 'object' && named !== null && 'content' in named ? String(named.content) : named;
  return (typeof content === 'string' ? library.token_to_id(content) : undefined) ?? 0;
}
