import { SeineError, show } from '../../core/errors.ts';
import { type Line, readLines } from '../../core/readLines.ts';

/**
 * Reads queries, id -> text: BEIR (`{"_id": …, "text": …}` a line; `id` is accepted too), or `id`, tab, `text`;
 * the first line tells which.
 * @throws ERR_DATA with the line number for a line that is neither, or an id that appears twice; ERR_NOT_FOUND if
 * the file cannot be read.
 */
export async function readQueries(path: string): Promise<Map<string, string>> {
  const queries = new Map<string, string>();
  let json: boolean | undefined;
  for await (const line of readLines(path)) {
    json ??= line.text.trimStart().startsWith('{');
    const [id, text] = json ? fromJson(line) : fromTabs(line);
    if (queries.has(id)) {
      throw new SeineError('ERR_DATA', `${line.place}: expected each query id once, got ${show(id)} again.`);
    }
    queries.set(id, text);
  }
  if (queries.size === 0) {
    throw new SeineError('ERR_DATA', `${path}: expected queries, one a line, got an empty file.`);
  }
  return queries;
}

function fromJson({ place, text }: Line): [string, string] {
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch (cause) {
    throw new SeineError('ERR_DATA', `${place}: expected a JSON object, got ${show(text)}.`, { cause });
  }
  if (typeof record === 'object' && record !== null && 'text' in record) {
    const id = '_id' in record ? record._id : 'id' in record ? record.id : undefined;
    if (typeof id === 'number' && typeof record.text === 'string') return [String(id), record.text];
    if (typeof id === 'string' && id !== '' && typeof record.text === 'string') return [id, record.text];
  }
  throw new SeineError(
    'ERR_DATA',
    `${place}: expected an object with the strings "_id" and "text", got ${show(text)}.`,
  );
}

function fromTabs({ place, text }: Line): [string, string] {
  const tab = text.indexOf('\t');
  if (tab > 0 && text.slice(tab).trim() !== '')
    return [text.slice(0, tab).trim(), text.slice(tab + 1).trim()];
  throw new SeineError(
    'ERR_DATA',
    `${place}: expected a JSON object with "_id" and "text", or an id, a tab and a text, got ${show(text)}.`,
  );
}
