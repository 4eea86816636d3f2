import { lines } from '../../core/lines.ts';
import type { Entry } from './record.ts';

/** Reads JSON objects, one a line; blank lines are passed over. */
export async function* jsonl(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Entry, void, undefined> {
  for await (const item of lines(chunks)) {
    const { line, text, error } = item;
    if (error !== undefined) yield { line, error };
    else if (text.trim() !== '') yield parse(text, line);
  }
}

function parse(text: string, line: number): Entry {
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch (error) {
    return { line, error: `is not JSON: ${(error as Error).message}` };
  }
  if (typeof record !== 'object' || record === null || Array.isArray(record)) {
    return { line, error: 'must hold a JSON object' };
  }
  return { line, record: record as Record<string, unknown> };
}
