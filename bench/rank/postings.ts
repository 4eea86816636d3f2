import { readFileSync } from 'node:fs';

const JOBS = '../shared/data/jobs';

/** What is ranked: a query and texts for it. */
export interface Work {
  query: string;
  documents: string[];
}

/** Titles alone, or whole postings. */
export type Form = 'titles' | 'postings';

/** Texts of one form, spread over the collection. */
export function postings(form: Form, count: number): Work {
  const lines = readFileSync(`${JOBS}/corpus.jsonl`, 'utf8').trimEnd().split('\n');
  const [first] = readFileSync(`${JOBS}/queries.dev.jsonl`, 'utf8').split('\n', 1);
  const documents = Array.from({ length: count }, (_, i) => {
    const { title, text } = JSON.parse(lines[Math.floor((i * lines.length) / count)]!) as Record<
      'title' | 'text',
      string
    >;
    return form === 'titles' ? title : `${title} ${text}`;
  });
  return { query: (JSON.parse(first!) as { text: string }).text, documents };
}
