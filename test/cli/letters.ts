import { join } from 'node:path';
import { random } from '../../ts/core/random.ts';
import { writeTinyBert } from '../offline/train/tinyBert.ts';
import { jsonLines, type Workplace } from './seine.ts';

export const LETTERS = [...'abcdefghijklm'];
const partner = (letter: string): string => String.fromCharCode(letter.charCodeAt(0) + 13);

/** Documents are three letters of the second half, queries letters of the first; letters 13 apart belong together. */
const documents = Array.from({ length: 90 }, (_, i) => {
  const generator = random(i + 1);
  const letters = generator.shuffle([...LETTERS]).slice(0, 3);
  return { _id: `d${i}`, text: letters.map(partner).join(' '), metadata: { first: letters[0], pay: i % 7 } };
});

function split(place: Workplace, name: string, count: number, seed: number): void {
  const generator = random(seed);
  const queries = Array.from({ length: count }, (_, i) => {
    const letters = generator.shuffle([...LETTERS]).slice(0, 4);
    return { _id: `${name}${i}`, text: letters.join(' '), metadata: { firsts: [letters[0]] } };
  });
  // The last training query is a test query but for a mark.
  if (name === 'train') queries.at(-1)!.text = 'a, b, c, d!';
  if (name === 'test') queries[0]!.text = 'a b c d';
  const rows = queries.flatMap(({ _id, text }) =>
    documents.flatMap((document) => {
      const shared = text.match(/[a-m]/g)!.filter((letter) => document.text.includes(partner(letter))).length;
      return shared > 1 ? [[_id, document._id, shared - 1].join('\t')] : [];
    }),
  );
  place.file(`${name}.jsonl`, jsonLines(queries));
  place.file(`${name}.tsv`, `query-id\tcorpus-id\tscore\n${rows.join('\n')}\n`);
}

const files = (name: string) => ({ queries: `./${name}.jsonl`, qrels: `./${name}.tsv` });
/** The collection in a recipe. */
export const letters = {
  name: 'letters',
  corpus: './corpus.jsonl',
  train: files('train'),
  dev: files('dev'),
  test: files('test'),
};
/** What trains a student, or a teacher, in a second. */
export const training = {
  model: './base',
  maxTokens: 20,
  batch: 4,
  documents: 6,
  steps: 30,
  rate: 3e-3,
  checkpointSteps: 3,
};

/** Writes the collection's corpus, its splits and a model to start from. */
export async function writeLetters(place: Workplace): Promise<void> {
  await writeTinyBert(join(place.folder, 'base'));
  place.file('corpus.jsonl', jsonLines(documents));
  split(place, 'train', 60, 11);
  split(place, 'dev', 16, 12);
  split(place, 'test', 16, 13);
}
