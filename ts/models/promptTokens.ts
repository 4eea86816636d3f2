import { SeineError, show } from '../core/errors.ts';
import type { Prompt } from './prompt.ts';
import type { PartIds, Tokenizer } from './tokenizer.ts';

/** A prompt as tokens. What stands before a document does not depend on it, nor what stands behind. */
export interface PromptTokens {
  /** All that is read before a document. */
  prefix(query: string): number[];
  /** At most `limit` tokens of a document. */
  document(text: string, limit: number): PartIds;
  readonly suffix: readonly number[];
  /** The one token of each label. */
  readonly labels: { readonly yes: number; readonly no: number };
}

/** Put into a prompt to see whether its parts fit. */
const PROBE = { query: 'river', document: 'sea' };

/**
 * Splits a prompt into parts that have the same tokens alone as together. Special tokens stand where the prompt has
 * them and nowhere else: in a query or a document their names are mere characters. Errors: `ERR_MODEL` if the
 * tokenizer does not know a special token of the prompt, a label is not one token, or the parts do not fit.
 */
export function promptTokens(prompt: Prompt, tokenizer: Tokenizer): PromptTokens {
  const { path, before, between, behind } = prompt;
  const wrong = (what: string): SeineError =>
    new SeineError(
      'ERR_MODEL',
      `The prompt ${path} ${what}: correct it, or put a prompt.json for this model into its directory.`,
    );
  for (const [marker] of (before + between + behind).matchAll(/<\|[^|<>]*\|>/g)) {
    if (!tokenizer.specialTokens.has(marker)) {
      throw wrong(`has ${show(marker)}, which is no special token of the model's tokenizer`);
    }
  }
  const words = (text: string): number[] => (text === '' ? [] : tokenizer.plain(text, text.length).ids);
  /** The prompt's own text between special tokens, their ids in between. */
  const runs = (text: string): (string | number)[] =>
    text.split(separator(tokenizer)).map((part) => tokenizer.specialTokens.get(part) ?? part);
  const idsOf = (parts: readonly (string | number)[]): number[] =>
    parts.flatMap((part) => (typeof part === 'number' ? [part] : words(part)));

  // Tokenizers join a blank to the word behind it.
  const lead = between.endsWith(' ') ? ' ' : '';
  const [first, last] = [runs(before), runs(between.slice(0, between.length - lead.length))];
  const head = idsOf(first.slice(0, -1));
  const tail = idsOf(last.slice(1));
  const tokens = {
    prefix: (query: string) => [...head, ...words(`${first.at(-1)}${query}${last[0]}`), ...tail],
    document: (text: string, limit: number) => tokenizer.plain(lead + text, limit),
    suffix: idsOf(runs(behind)),
  };
  const whole = idsOf(runs(before + PROBE.query + between + PROBE.document + behind));
  const together = [
    ...tokens.prefix(PROBE.query),
    ...tokens.document(PROBE.document, whole.length).ids,
    ...tokens.suffix,
  ];
  if (whole.join() !== together.join()) {
    throw wrong(
      'has other tokens in parts than as a whole; a line break or special token before and behind {document} helps',
    );
  }
  const label = (name: 'yes' | 'no'): number => {
    const word = prompt.labels[name];
    const ids = tokenizer.specialTokens.has(word) ? [tokenizer.specialTokens.get(word)!] : words(word);
    if (ids.length === 1) return ids[0]!;
    throw wrong(`should give labels.${name} as one token of the model, but ${show(word)} has ${ids.length}`);
  };
  const labels = { yes: label('yes'), no: label('no') };
  if (labels.yes === labels.no) throw wrong(`should give two labels but both are ${show(prompt.labels.yes)}`);
  return { ...tokens, labels };
}

/** Finds special tokens, the longest first. */
function separator({ specialTokens }: Tokenizer): RegExp {
  if (specialTokens.size === 0) return /(?!)/;
  const names = [...specialTokens.keys()].sort((a, b) => b.length - a.length);
  const literal = names.map((name) => name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`(${literal.join('|')})`);
}
