import type { TextWindow } from './contracts.ts';
import type { Tokenizer } from './tokenizer.ts';

/** A longer run without white space (Chinese, a URL) is halved until its pieces are no longer than this. */
const LONGEST_PIECE = 32;

/**
 * Cuts `text` at white space into windows of at most `budget` tokens (special tokens not counted) of which neighbours
 * share at most `overlap`. Every word is in a window. A text that fits is one window, and so is one without words.
 */
export function windows(text: string, tokenizer: Tokenizer, budget: number, overlap: number): TextWindow[] {
  const count = (part: string): number => tokenizer.part(part, Number.POSITIVE_INFINITY).ids.length;
  const starts: number[] = [];
  const ends: number[] = [];
  const counts: number[] = [];
  const add = (start: number, end: number, blank: string): void => {
    const middle = border(text, (start + end) >> 1);
    // The length is looked at first, for counting the tokens of megabytes without white space would take long.
    const long = end - start > LONGEST_PIECE;
    const tokens = long ? 0 : count(blank + text.slice(start, end));
    if ((long || tokens > budget) && middle > start) {
      add(start, middle, blank);
      add(middle, end, '');
      return;
    }
    starts.push(start);
    ends.push(end);
    counts.push(tokens);
  };
  for (const match of text.matchAll(/\S+/g)) {
    add(match.index, match.index + match[0].length, match.index === 0 ? '' : ' ');
  }
  if (starts.length === 0) return [{ start: 0, end: text.length }];

  const tokensOf = (first: number, next: number): number =>
    count(text.slice(starts[first]!, ends[next - 1]!));
  const result: TextWindow[] = [];
  let first = 0;
  let done = 0;
  while (true) {
    let tokens = 0;
    let next = first;
    while (next < counts.length && (next === first || tokens + counts[next]! <= budget))
      tokens += counts[next++]!;
    // Pieces may have more tokens together than apart, so the window itself is counted.
    while (next > Math.max(first, done) + 1 && tokensOf(first, next) > budget) next--;
    if (first < done && tokensOf(first, next) > budget) {
      first = done; // no room for what it should share
      continue;
    }
    result.push({ start: starts[first]!, end: ends[next - 1]! });
    if (next === counts.length) return result;
    done = next;
    let shared = 0;
    let back = next;
    // The next window must have room for a word that this one has not.
    const room = Math.min(overlap, budget - counts[next]!);
    while (back - 1 > first && shared + counts[back - 1]! <= room) shared += counts[--back]!;
    first = back;
  }
}

/** `at`, or one less where it would part the two halves of a surrogate pair. */
export function border(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff ? at - 1 : at;
}
