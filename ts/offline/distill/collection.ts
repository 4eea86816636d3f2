import { SeineError, show } from '../../core/errors.ts';
import { readLines } from '../../core/readLines.ts';
import type { Qrels } from '../../core/types.ts';

export interface TextItem {
  id: string;
  /** Of a document: title, space, text. */
  text: string;
  metadata: Record<string, unknown>;
}

/**
 * Documents or queries of a BEIR collection (`_id`, `title`, `text`, `metadata`), in file order. Errors: `ERR_NOT_FOUND`,
 * `ERR_DATA` with the line.
 */
export async function readItems(path: string): Promise<TextItem[]> {
  const items: TextItem[] = [];
  const seen = new Set<string>();
  for await (const { place, text: line } of readLines(path)) {
    const { _id: id, title, text, metadata = {} } = parse(line, place);
    const isItem = typeof id === 'string' && id !== '' && typeof text === 'string';
    if (!isItem || (title !== undefined && typeof title !== 'string') || !isObject(metadata)) {
      throw new SeineError(
        'ERR_DATA',
        `${place}: expected an object with the texts "_id" and "text", perhaps "title", got ${show(line)}.`,
      );
    }
    if (seen.has(id))
      throw new SeineError('ERR_DATA', `${place}: expected each _id once, got ${show(id)} again.`);
    seen.add(id);
    items.push({ id, text: title ? `${title} ${text}` : text, metadata });
  }
  return items;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parse(line: string, place: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : {};
  } catch (cause) {
    throw new SeineError('ERR_DATA', `${place}: expected a JSON object, got text that is not JSON.`, {
      cause,
    });
  }
}

/**
 * Grades of a BEIR collection: tab-separated query, document, grade, with one line of headings. Errors: `ERR_NOT_FOUND`,
 * `ERR_DATA` with the line.
 */
export async function readGrades(path: string): Promise<Qrels> {
  const qrels: Qrels = new Map();
  let isFirst = true;
  for await (const { place, text } of readLines(path)) {
    if (isFirst) {
      isFirst = false;
      continue;
    }
    const [query, document, grade, ...more] = text.split('\t').map((field) => field.trim());
    if (!query || !document || !/^-?\d+$/.test(grade ?? '') || more.length > 0) {
      throw new SeineError(
        'ERR_DATA',
        `${place}: expected query, document and a whole grade, separated by tabs, got ${show(text)}.`,
      );
    }
    let grades = qrels.get(query);
    if (!grades) {
      grades = new Map();
      qrels.set(query, grades);
    }
    grades.set(document, Number(grade));
  }
  return qrels;
}

/** The subjects that a field of an item's metadata names: one, several or none. */
export function subjectsOf(item: TextItem, field: string | undefined): string[] {
  const value = field === undefined ? undefined : item.metadata[field];
  if (Array.isArray(value)) return value.map(String);
  return value === undefined || value === null ? [] : [String(value)];
}
