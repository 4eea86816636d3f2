import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readWordnet } from '../../scripts/wordnet.mjs';
import { random } from '../../ts/core/random.ts';
import type { Document } from '../../ts/core/types.ts';
import { open } from '../../ts/open.ts';
import type { LoadRequest } from './load.ts';

export const DOCUMENTS = 10_000;
const QUERIES = 20_000;

export interface Corpus {
  /** Of the index. */
  path: string;
  /** To be removed at the end. */
  folder: string;
  indexed: Document[];
  /** Documents that are not in the index. */
  others: Document[];
  /** Searches, no two of them with the same query. */
  searches: LoadRequest[];
}

export function jsonRequest(path: string, content: object): LoadRequest {
  return {
    method: 'POST',
    path,
    body: JSON.stringify(content),
    headers: { 'content-type': 'application/json' },
  };
}

/** Glosses of WordNet in a fresh index; queries are the first words of glosses that are not in it. */
export async function prepareCorpus(): Promise<Corpus> {
  const { shuffle, below } = random(8);
  const all = shuffle([...readWordnet()]);
  const [indexed, others] = [all.slice(0, DOCUMENTS), all.slice(DOCUMENTS)];
  const folder = mkdtempSync(join(tmpdir(), 'seine-bench-'));
  const path = join(folder, 'wordnet.seine');
  const index = await open(path, { ranker: 'none', device: 'cpu' });
  for (let i = 0; i < indexed.length; i += 1000) await index.upsert(indexed.slice(i, i + 1000));
  await index.close();
  const queries = new Set<string>();
  for (const { text } of others) {
    const words = text.match(/[a-z]+/gi) ?? [];
    queries.add(words.slice(0, 2 + below(7)).join(' '));
    if (queries.size === QUERIES) break;
  }
  const searches = [...queries]
    .filter((query) => query !== '')
    .map((query) => jsonRequest('/search', { query }));
  return { path, folder, indexed, others, searches };
}

/** Every document of the index gets another text, again and again: its size stays. Requests of `batch` documents each. */
export function replacements({ indexed, others }: Corpus, batch: number): LoadRequest[] {
  return Array.from({ length: Math.floor(indexed.length / batch) }, (_, request) => ({
    method: 'POST',
    path: '/documents',
    headers: { 'content-type': 'application/x-ndjson' },
    body: Array.from({ length: batch }, (_, i) => {
      const at = request * batch + i;
      return `${JSON.stringify({ ...others[at]!, id: indexed[at]!.id })}\n`;
    }).join(''),
  }));
}
