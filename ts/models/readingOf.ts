import { setImmediate } from 'node:timers/promises';
import type { TextReading } from './contracts.ts';
import type { PartIds, Tokenizer } from './tokenizer.ts';
import { border } from './windows.ts';

/** Tokens behind the cut that are counted: a text may be megabytes long, and other calls wait. */
const MOST_COUNTED = 16_384;

/**
 * What `read`, which a model cuts its texts with, keeps of a text. Where the cut lies is found with the same function:
 * the shortest head of the text that gives the same tokens, as far as halving finds it.
 */
export async function readingOf(
  text: string,
  read: (text: string) => PartIds,
  tokenizer: Pick<Tokenizer, 'part'>,
): Promise<TextReading> {
  const { ids, truncated } = read(text);
  const kept = ids.length;
  if (!truncated) return { kept, cut: 0, end: text.length };
  await setImmediate();
  const all = tokenizer.part(text, kept + MOST_COUNTED).ids.length;
  await setImmediate();

  const suffices = (end: number): boolean => {
    const head = read(text.slice(0, end)).ids;
    return head.length >= kept && ids.every((id, i) => head[i] === id);
  };
  let low = -1; // does not suffice, or is not known to
  let high = Math.min(text.length, kept * 4);
  while (high < text.length && !suffices(high)) {
    low = high;
    high = Math.min(text.length, high * 2 + 1);
  }
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (suffices(middle)) high = middle;
    else low = middle;
  }
  if (border(text, high) < high) high++; // not between the halves of a surrogate pair
  return { kept, cut: Math.max(0, all - kept), end: high };
}
