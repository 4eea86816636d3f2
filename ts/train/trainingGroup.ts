import { SeineError, show } from '../core/errors.ts';
import { readLines } from '../core/readLines.ts';

/** A query with documents of which something is known; all arrays have one entry a document, NaN = not known. */
export interface TrainingGroup {
  query: string;
  documents: string[];
  /** Relevance, 0 = not relevant. */
  grades: number[];
  /** Probability of relevance, 0 to 1. */
  labels: number[];
  /** A teacher's scores. */
  scores: number[];
  /** Labels of further objectives, such as clicks, by name: probabilities, 0 to 1. */
  objectives?: Record<string, number[]> | undefined;
  /** Numbers about the documents that are no part of their texts, such as popularity, by name. */
  features?: Record<string, number[]> | undefined;
}

/** Highest grade: gains are `2^grade - 1`. */
const HIGHEST_GRADE = 30;
/** Label from which a document counts as relevant where no grade says it. */
const RELEVANT = 0.5;

/**
 * Reads groups from JSONL, one a line, in two forms that may be mixed:
 *
 *     {"query": "…", "positives": ["…"], "negatives": ["…"]}
 *     {"query": "…", "documents": ["…", "…"], "grades": [3, 0], "labels": [0.9, 0.1], "scores": [4.2, -1]}
 *
 * with at least one of `grades`, `labels`, `scores` and `objectives` (`{"click": [0.2, null]}`: labels of further
 * objectives), and perhaps `features` (`{"popularity": [12, null]}`), whose entries may be null. Where there are no
 * grades, documents with a label from 0.5 on have grade 1; where there are no labels, those with a grade above 0 have
 * label 1. Other fields are passed over. Errors: `ERR_NOT_FOUND`, `ERR_DATA` with the line.
 */
export async function readGroups(path: string): Promise<TrainingGroup[]> {
  const groups: TrainingGroup[] = [];
  for await (const { place, text } of readLines(path)) groups.push(parseGroup(text, place));
  if (groups.length > 0) return groups;
  throw new SeineError(
    'ERR_DATA',
    `${path} should hold a query with its documents on each line, but is empty.`,
  );
}

function parseGroup(text: string, place: string): TrainingGroup {
  const wrong = (what: string): SeineError => new SeineError('ERR_DATA', `${place}: ${what}.`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong('expected a JSON object, got text that is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrong(`expected a JSON object, got ${show(value)}`);
  }
  const line = value as Record<string, unknown>;
  if (typeof line.query !== 'string' || line.query.trim() === '') {
    throw wrong(`query should be a text, got ${show(line.query)}`);
  }
  const texts = (name: string): string[] => {
    const given = line[name] ?? [];
    if (Array.isArray(given) && given.every((one) => typeof one === 'string')) return given;
    throw wrong(`${name} should be an array of texts, got ${show(given)}`);
  };
  if (line.documents === undefined) {
    const [positives, negatives] = [texts('positives'), texts('negatives')];
    if (positives.length === 0)
      throw wrong('expected at least one text in positives, or documents, got none');
    const grades = [...positives.map(() => 1), ...negatives.map(() => 0)];
    const scores = grades.map(() => Number.NaN);
    return { query: line.query, documents: [...positives, ...negatives], grades, labels: grades, scores };
  }
  const documents = texts('documents');
  if (documents.length === 0) throw wrong('documents should hold at least one text, got none');
  const numbers = (
    name: string,
    expected: string,
    fits: (one: number) => boolean,
    given = line[name],
  ): number[] | undefined => {
    if (given === undefined) return undefined;
    if (!Array.isArray(given) || given.length !== documents.length) {
      throw wrong(
        `${name} should be an array of ${documents.length} entries, one a document, got ${show(given)}`,
      );
    }
    return given.map((one: unknown, i) => {
      if (one === null) return Number.NaN;
      if (typeof one === 'number' && fits(one)) return one;
      throw wrong(`${name}[${i}] should be ${expected} or null, got ${show(one)}`);
    });
  };
  const grades = numbers(
    'grades',
    `a grade from 0 to ${HIGHEST_GRADE}`,
    (one) => one >= 0 && one <= HIGHEST_GRADE,
  );
  const isProbability = (one: number): boolean => one >= 0 && one <= 1;
  const labels = numbers('labels', 'a probability from 0 to 1', isProbability);
  const scores = numbers('scores', 'a score', Number.isFinite);
  const byName = (
    field: string,
    expected: string,
    fits: (one: number) => boolean,
  ): Record<string, number[]> | undefined => {
    const given = line[field] ?? {};
    if (typeof given !== 'object' || Array.isArray(given)) {
      throw wrong(`${field} should be an object of arrays, got ${show(given)}`);
    }
    const entries = Object.entries(given);
    if (entries.length === 0) return undefined;
    return Object.fromEntries(
      entries.map(([name, values]) => [name, numbers(`${field}.${name}`, expected, fits, values)!]),
    );
  };
  const objectives = byName('objectives', 'a probability from 0 to 1', isProbability);
  const features = byName('features', 'a finite number', Number.isFinite);
  if ((grades ?? labels ?? scores ?? objectives) === undefined) {
    throw wrong('expected one of grades, labels, scores and objectives beside documents, got none');
  }
  const unknown = documents.map(() => Number.NaN);
  const when = (one: number, isRelevant: boolean): number => (Number.isNaN(one) ? one : Number(isRelevant));
  return {
    query: line.query,
    documents,
    grades: grades ?? labels?.map((one) => when(one, one >= RELEVANT)) ?? unknown,
    labels: labels ?? grades?.map((one) => when(one, one > 0)) ?? unknown,
    scores: scores ?? unknown,
    ...(objectives && { objectives }),
    ...(features && { features }),
  };
}
