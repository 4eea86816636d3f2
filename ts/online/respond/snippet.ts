import type { Highlight } from '../../core/types.ts';

/** Length of a snippet in UTF-16 code units, before it is stretched to whole words. */
const SNIPPET_LENGTH = 240;
/** Of a longer text, only the head is searched: reading megabytes would hold up the event loop. */
const SEARCHED_LENGTH = 200_000;
const WORD = /[\p{L}\p{N}]+/gu;

interface Snippet {
  snippet: string;
  highlights: Highlight[];
}

/** The stretch of a text with most distinct words of the query (the first of equals), with those words marked. */
export function snippet(text: string, query: string): Snippet {
  const wanted = new Set(query.toLowerCase().match(WORD));
  const hits: { start: number; end: number; word: string }[] = [];
  for (const match of text.slice(0, SEARCHED_LENGTH).matchAll(WORD)) {
    const word = match[0].toLowerCase();
    if (wanted.has(word)) hits.push({ start: match.index, end: match.index + match[0].length, word });
  }
  const { start, end } = bestStretch(text, hits);
  const highlights = hits
    .filter((hit) => hit.start >= start && hit.end <= end)
    .map((hit) => ({ start: hit.start - start, end: hit.end - start }));
  return { snippet: text.slice(start, end), highlights };
}

function bestStretch(text: string, hits: { start: number; end: number; word: string }[]): Highlight {
  if (text.length <= SNIPPET_LENGTH) return { start: 0, end: text.length };
  const counts = new Map<string, number>();
  let best = { first: 0, distinct: 0 };
  let last = 0;
  // Two ends move over the hits: [first, last) are the hits of a stretch that begins with hit `first`.
  for (let first = 0; first < hits.length; first++) {
    while (last < hits.length && hits[last]!.end <= hits[first]!.start + SNIPPET_LENGTH) {
      const { word } = hits[last++]!;
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    if (last === first) {
      last++; // a word longer than a snippet
      continue;
    }
    if (counts.size > best.distinct) best = { first, distinct: counts.size };
    const left = hits[first]!.word;
    const rest = counts.get(left)! - 1;
    if (rest === 0) counts.delete(left);
    else counts.set(left, rest);
  }
  const anchor = best.distinct === 0 ? 0 : hits[best.first]!.start;
  const start = anchor + SNIPPET_LENGTH > text.length ? text.length - SNIPPET_LENGTH : anchor;
  return { start: wordStart(text, start), end: wordEnd(text, Math.min(text.length, start + SNIPPET_LENGTH)) };
}

/** Moves back to where a word begins, 40 units at most, so that one endless word does not stretch the snippet. */
function wordStart(text: string, position: number): number {
  for (let i = position; i > Math.max(0, position - 40); i--) if (/\s/.test(text[i - 1]!)) return i;
  return onCharacter(text, position);
}

function wordEnd(text: string, position: number): number {
  for (let i = position; i < Math.min(text.length, position + 40); i++) if (/\s/.test(text[i]!)) return i;
  return text.length <= position + 40 ? text.length : onCharacter(text, position);
}

/** Does not cut a surrogate pair in two. */
function onCharacter(text: string, position: number): number {
  const inPair =
    position > 0 &&
    /[\udc00-\udfff]/.test(text[position] ?? '') &&
    /[\ud800-\udbff]/.test(text[position - 1]!);
  return inPair ? position - 1 : position;
}
