import { join } from 'node:path';
import { SeineError, show } from '../../core/errors.ts';
import { writeAtomic } from '../../core/files.ts';
import { random } from '../../core/random.ts';
import { readLines } from '../../core/readLines.ts';
import { spreadOf } from '../../core/spreadOf.ts';
import type { Qrels } from '../../core/types.ts';
import { type Candidates, readCandidates } from './candidateStage.ts';
import { type ClickModel, drawImpressions, type Impressions, type Page } from './clickModel.ts';
import { readGrades, readItems, type TextItem } from './collection.ts';
import { jsonLines, readJsonLines } from './jsonl.ts';
import { numberOf } from './numberOf.ts';
import type { Collection, DistillRecipe } from './recipe.ts';
import type { Stage } from './stage.ts';

const ACTIONS_FILE = 'impressions.jsonl';

/** What users did on the pages of the training and dev queries: drawn by the click model, or as a file says. */
export function actionStage(
  { name, corpus, train, dev, clicks, actions }: Collection,
  { seed }: DistillRecipe,
  directories: { candidates: string },
): Stage {
  const logged = actions !== undefined;
  const drawn = {
    ...directories,
    corpus,
    ...(train && { train: train.qrels }),
    ...(dev && { dev: dev.qrels }),
  };
  return {
    name: `actions-${name}`,
    options: { clicks, seed },
    inputs: logged ? { actions } : drawn,
    async run(directory) {
      const target = join(directory, ACTIONS_FILE);
      if (logged) return writeAtomic(target, jsonLines(await readActions(actions)));
      const documents = await readItems(corpus);
      const candidates = await readCandidates(directories.candidates);
      const all: Impressions[] = [];
      for (const [i, split] of (['train', 'dev'] as const).entries()) {
        const files = { train, dev }[split];
        if (!files) continue;
        const pages = pagesOf(
          candidates.filter((one) => one.split === split),
          documents,
          await readGrades(files.qrels),
          clicks!,
        );
        all.push(...drawImpressions(pages, clicks!, random(seed + i)));
      }
      await writeAtomic(target, jsonLines(all));
    },
  };
}

export const readImpressions = (directory: string): Promise<Impressions[]> =>
  readJsonLines(join(directory, ACTIONS_FILE));

/** The first page of each query, with what attracts in its documents: grade, and attributes that no text shows. */
export function pagesOf(
  candidates: readonly Pick<Candidates, 'query' | 'found'>[],
  documents: readonly TextItem[],
  qrels: Qrels,
  model: ClickModel,
): Page[] {
  const pulls = pullOf(documents, model);
  let highest = 1;
  for (const grades of qrels.values())
    for (const grade of grades.values()) highest = Math.max(highest, grade);
  return candidates.map(({ query, found }) => ({
    query,
    documents: found.slice(0, model.page).map(({ document }) => {
      const { id } = documents[document]!;
      const grade = Math.max(0, qrels.get(query)?.get(id) ?? 0);
      return { id, relevance: grade / highest, pull: pulls[document]! };
    }),
  }));
}

/** Sum of each document's weighted attributes: z-scores over the collection; 0 for what a document lacks. */
function pullOf(documents: readonly TextItem[], { attributes }: ClickModel): Float64Array {
  const pulls = new Float64Array(documents.length);
  for (const [field, weight] of Object.entries(attributes)) {
    const values = documents.map(({ metadata }) => numberOf(metadata[field]));
    const spread = spreadOf(values.filter((value) => !Number.isNaN(value)));
    if (!spread) {
      throw new SeineError(
        'ERR_DATA',
        `The attribute ${show(field)} of the click model should be a number, a date or true or false that differs from ` +
          'document to document: name another field of metadata.',
      );
    }
    for (const [i, value] of values.entries()) {
      if (!Number.isNaN(value)) pulls[i]! += (weight * (value - spread.mean)) / spread.deviation;
    }
  }
  return pulls;
}

/** Reads a log: `{"query", "document", "position", "shown", "actions": {"click": 1}, "shuffled"}` a line. */
export async function readActions(path: string): Promise<Impressions[]> {
  const all: Impressions[] = [];
  for await (const { place, text } of readLines(path)) {
    const wrong = (what: string): SeineError => new SeineError('ERR_DATA', `${place}: ${what}.`);
    let line: Partial<Impressions>;
    try {
      line = JSON.parse(text);
    } catch {
      throw wrong('expected a JSON object, got text that is not JSON');
    }
    const { query, document, position = 1, shown = 1, actions = {}, shuffled = false } = line ?? {};
    if (typeof query !== 'string' || typeof document !== 'string') {
      throw wrong(`expected ids of a query and a document, got ${show(query)} and ${show(document)}`);
    }
    if (!Number.isInteger(position) || position < 1) {
      throw wrong(`position should be a whole number from 1, got ${show(position)}`);
    }
    const isCount = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0;
    const most = Object.values(actions).reduce((a, b) => Math.max(a, b), 0);
    if (!isCount(shown) || !Object.values(actions).every(isCount) || most > shown) {
      throw wrong('shown and the actions should be counts, of each action at most as many as shown');
    }
    all.push({ query, document, position, shown, actions, shuffled });
  }
  if (all.length > 0) return all;
  throw new SeineError('ERR_DATA', `${path} should hold what was shown and done on each line, but is empty.`);
}
