import { extname } from 'node:path';
import { SeineError } from '../../core/errors.ts';
import { csv, tsv } from './csv.ts';
import { jsonl } from './jsonl.ts';
import type { Reader } from './record.ts';
import { trec } from './trec.ts';

/** BEIR collections are JSONL. */
export type Format = 'jsonl' | 'csv' | 'tsv' | 'trec';

export const READERS: Record<Format, Reader> = { jsonl, csv, tsv, trec };
export const FORMATS = Object.keys(READERS) as Format[];

const EXTENSIONS = new Map<string, Format>([
  ['.jsonl', 'jsonl'],
  ['.ndjson', 'jsonl'],
  ['.csv', 'csv'],
  ['.tsv', 'tsv'],
  ['.tab', 'tsv'],
  ['.trec', 'trec'],
]);

/** The format of a file by its extension, else by its first bytes. */
export function detectFormat(name: string, head: Uint8Array): Format {
  const text = Buffer.from(head).toString('utf8').trimStart();
  if (text.startsWith('[')) {
    throw new SeineError(
      'ERR_DATA',
      `${name} holds a JSON array, but one JSON object a line was expected: jq -c '.[]' writes it so.`,
    );
  }
  const known = EXTENSIONS.get(extname(name).toLowerCase());
  if (known !== undefined) return known;
  if (text === '' || text.startsWith('{')) return 'jsonl';
  if (/^(<[?!][^>]*>\s*)*<DOC>/i.test(text)) return 'trec';
  const [firstLine = ''] = text.split('\n', 1);
  if (firstLine.includes('\t')) return 'tsv';
  if (/[,;]/.test(firstLine)) return 'csv';
  throw new SeineError(
    'ERR_DATA',
    `The format of ${name} is not clear from its name or first line: give --format ${FORMATS.join('|')}.`,
  );
}
