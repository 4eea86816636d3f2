import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { SeineError } from '../../core/errors.ts';
import type { Qrels } from '../../core/types.ts';

export interface TextItem {
  id: string;
  /** Of a document: title, space, text. */
  text: string;
  metadata: Record<string, unknown>;
}

interface BeirItem {
  _id: string;
  title?: string;
  text: string;
  metadata?: Record<string, unknown>;
}

async function* lines(path: string): AsyncGenerator<string> {
  const input = createReadStream(path, 'utf8');
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (line !== '') yield line;
    }
  } catch (error) {
    throw new SeineError('ERR_NOT_FOUND', `A data file should be readable at ${path}: check the path.`, {
      cause: error,
    });
  }
}

/** Documents or queries of a BEIR collection (`_id`, `title`, `text`), in file order. */
export async function readItems(path: string): Promise<TextItem[]> {
  const items: TextItem[] = [];
  for await (const line of lines(path)) {
    const { _id, title, text, metadata = {} } = JSON.parse(line) as BeirItem;
    items.push({ id: _id, text: title ? `${title} ${text}` : text, metadata });
  }
  return items;
}

/** Grades of a BEIR collection: tab-separated query, document, grade, with one line of headings. */
export async function readGrades(path: string): Promise<Qrels> {
  const qrels: Qrels = new Map();
  let first = true;
  for await (const line of lines(path)) {
    if (first) {
      first = false;
      continue;
    }
    const [query, document, grade] = line.split('\t') as [string, string, string];
    let grades = qrels.get(query);
    if (!grades) {
      grades = new Map();
      qrels.set(query, grades);
    }
    grades.set(document, Number(grade));
  }
  return qrels;
}
