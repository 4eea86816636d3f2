/** The job postings of ../shared/data/jobs as documents; without their metadata, which no model reads. */
import { readFileSync } from 'node:fs';

const corpus = new URL('../../shared/data/jobs/corpus.jsonl', import.meta.url);

export function readJobs() {
  return readFileSync(corpus, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { _id, title, text } = JSON.parse(line);
      return { id: _id, title, text };
    });
}
