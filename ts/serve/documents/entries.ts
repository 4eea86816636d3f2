import { lines } from '../../core/lines.ts';
import { readJson } from '../readJson.ts';

/**
 * One document as it came, of about so many bytes as JSON, or why it could not be read: the end of a sentence that begins
 * with its place.
 */
export type Entry = { place: Place; bytes: number } & ({ value: unknown } | { error: string });

/** Where a document stood: a line of NDJSON, counted from 1, or an index in a JSON array. */
export type Place = { line: number } | { document: number };

/** NDJSON: one document a line; blank lines are passed over, as is a byte order mark. */
export async function* ndjsonEntries(
  chunks: AsyncIterable<Uint8Array>,
  maxLineBytes: number,
): AsyncGenerator<Entry, void, undefined> {
  for await (const { line, text, bytes, error } of lines(chunks, maxLineBytes)) {
    const place = { line };
    if (error !== undefined) {
      yield { place, bytes, error };
      continue;
    }
    const json = line === 1 && text.startsWith('\ufeff') ? text.slice(1) : text;
    if (json.trim() !== '') yield { place, bytes, ...readJson(json) };
  }
}

/** A JSON body: one document, or an array of them. */
export function* jsonEntries(body: unknown): Generator<Entry, void, undefined> {
  for (const [document, value] of (Array.isArray(body) ? body : [body]).entries()) {
    yield { place: { document }, bytes: jsonSize(value), value };
  }
}

/** About how long a value is as JSON, however deeply it is nested. */
function jsonSize(value: unknown): number {
  let size = 0;
  const left = [value];
  while (left.length > 0) {
    const next = left.pop();
    size += typeof next === 'string' ? next.length + 2 : 4;
    if (typeof next !== 'object' || next === null) continue;
    for (const [name, inner] of Object.entries(next)) {
      size += name.length;
      left.push(inner);
    }
  }
  return size;
}

/** The beginning of a sentence about what stands there. */
export function placeText(place: Place): string {
  return 'line' in place ? `Line ${place.line}` : `Document ${place.document} (counted from 0)`;
}
