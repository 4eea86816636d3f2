import { SeineError, show } from '../../core/errors.ts';

/** What this needs of a `tokenizer.json`. */
export interface VocabularyFile {
  model: { type: string; vocab: Record<string, number> };
  added_tokens: { id: number; content: string }[];
  post_processor: { type: string; special_tokens?: Record<string, { ids: number[] }> } | null;
}

export interface TrimmedVocabulary {
  /** `tokenizer.json` with the pieces that stay, numbered anew in their order. */
  tokenizer: VocabularyFile;
  /** Of each piece that stays, its row among all. */
  rows: Int32Array;
}

const UNUSED = /^\[unused\d+\]$/;

/**
 * Leaves pieces with letters of other scripts than these (Unicode's names, such as `Latin`) out of a WordPiece
 * vocabulary, and places that no piece has taken. Words in the scripts that stay are cut into the same pieces as before,
 * and others become the unknown token. Errors: `ERR_MODEL` for other tokenizers than WordPiece with a template.
 */
export function trimVocabulary(file: VocabularyFile, scripts: readonly string[]): TrimmedVocabulary {
  const { model, added_tokens: added, post_processor: processor } = file;
  if (model.type !== 'WordPiece' || (processor && processor.type !== 'TemplateProcessing')) {
    throw new SeineError(
      'ERR_MODEL',
      'A vocabulary that is to keep some scripts should be of WordPiece with TemplateProcessing, got ' +
        `${show(model.type)} with ${show(processor?.type)}: leave recipe.scripts out.`,
    );
  }
  const readable = new RegExp(`^[${['Common', 'Inherited', ...scripts].map(inScript).join('')}]*$`, 'u');
  const special = new Set(added.map(({ content }) => content));
  const kept = Object.entries(model.vocab)
    .filter(([piece]) => special.has(piece) || (!UNUSED.test(piece) && readable.test(piece)))
    .sort(([, a], [, b]) => a - b);
  const numbers = new Map(kept.map(([, row], id) => [row, id]));
  const renumbered = (row: number): number => numbers.get(row)!;
  return {
    tokenizer: {
      ...file,
      model: { ...model, vocab: Object.fromEntries(kept.map(([piece], id) => [piece, id])) },
      added_tokens: added.map((token) => ({ ...token, id: renumbered(token.id) })),
      post_processor: processor && templateOf(processor, renumbered),
    },
    rows: Int32Array.from(kept, ([, row]) => row),
  };
}

/** The template with the new numbers of its special tokens. */
function templateOf(
  processor: NonNullable<VocabularyFile['post_processor']>,
  renumbered: (row: number) => number,
): VocabularyFile['post_processor'] {
  const tokens = Object.entries(processor.special_tokens ?? {});
  const changed = tokens.map(([name, token]) => [name, { ...token, ids: token.ids.map(renumbered) }]);
  return { ...processor, special_tokens: Object.fromEntries(changed) };
}

/** Whether Unicode has a script of this name. */
export function isScript(name: string): boolean {
  try {
    return /^\w+$/.test(name) && new RegExp(inScript(name), 'u') !== undefined;
  } catch {
    return false;
  }
}

const inScript = (name: string): string => `\\p{Script=${name}}`;
