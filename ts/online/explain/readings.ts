import type { DocumentReading, QueryReading, TextRange } from '../../core/explanation.ts';
import type { TextReading } from '../../models/contracts.ts';

/** Of a query, with the searcher's profile behind it if the model was given one. */
export function queryReading({ kept, cut, end }: TextReading, query: string, profile: string): QueryReading {
  return {
    kept,
    cut,
    text: head(0, query.length, end),
    ...(profile !== '' && { profile: head(0, profile.length, end - query.length - 1) }),
  };
}

/** Of a document's title, a blank and a passage; without a title of the passage alone. */
export function documentReading(
  { kept, cut, end }: TextReading,
  title: string,
  passage: TextRange,
): DocumentReading {
  const before = title === '' ? 0 : title.length + 1;
  return {
    kept,
    cut,
    ...(title !== '' && { title: head(0, title.length, end) }),
    passage,
    text: head(passage.start, passage.end, end - before),
  };
}

/** The first `length` units of a range, as far as there are so many. */
function head(start: number, end: number, length: number): TextRange {
  return { start, end: Math.min(end, start + Math.max(0, length)) };
}
