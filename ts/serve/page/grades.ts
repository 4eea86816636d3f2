import type { Keeper } from './keeper.ts';

/** A query that was judged, and its grades by document. */
interface Judged {
  id: string;
  query: string;
  grades: [document: string, grade: number][];
}

/** Key of the storage under which they lie. */
export const GRADES_KEY = 'seine.grades';
/** Grades that keys give, and what they say. */
export const GRADES = ['not relevant', 'related', 'relevant', 'exactly right'];

/**
 * Grades of documents for queries. A query has its id from its first grade on, in both files that come of it. Read
 * anew for each use, so that several tabs share them.
 */
export class Grades {
  readonly #keeper: Keeper;

  constructor(keeper: Keeper) {
    this.#keeper = keeper;
  }

  /** Whether the grades outlive the page. */
  get lasting(): boolean {
    return this.#keeper.lasting;
  }

  /** Grades of a query, by document. */
  of(query: string): Map<string, number> {
    return new Map(this.#read().find((judged) => judged.query === query)?.grades);
  }

  /** Gives a document its grade for a query; `undefined` takes it back. */
  set(query: string, document: string, grade: number | undefined): void {
    const all = this.#read();
    let judged = all.find((one) => one.query === query);
    if (judged === undefined) {
      const last = Math.max(0, ...all.map(({ id }) => Number(id.slice(1))));
      judged = { id: `q${last + 1}`, query, grades: [] };
      all.push(judged);
    }
    judged.grades = judged.grades.filter(([id]) => id !== document);
    if (grade !== undefined) judged.grades.push([document, grade]);
    this.#keeper.write(GRADES_KEY, all);
  }

  clear(): void {
    this.#keeper.remove(GRADES_KEY);
  }

  count(): { grades: number; queries: number } {
    const judged = this.#judged();
    return { queries: judged.length, grades: judged.reduce((sum, { grades }) => sum + grades.length, 0) };
  }

  /** TREC relevance lines, `query 0 document grade`. Ids with white space cannot stand in them: `left` counts those. */
  qrels(): { text: string; left: number } {
    const all = this.#judged().flatMap(({ id, grades }) =>
      grades.map(([document, grade]) => ({ document, line: `${id} 0 ${document} ${grade}\n` })),
    );
    const fit = all.filter(({ document }) => !/\s/.test(document));
    return { text: fit.map(({ line }) => line).join(''), left: all.length - fit.length };
  }

  /** The queries, one JSON object a line, under the ids that `qrels` uses. */
  queries(): string {
    return this.#judged()
      .map(({ id, query }) => `${JSON.stringify({ _id: id, text: query })}\n`)
      .join('');
  }

  #judged(): Judged[] {
    return this.#read().filter(({ grades }) => grades.length > 0);
  }

  #read(): Judged[] {
    const kept = this.#keeper.read(GRADES_KEY);
    return Array.isArray(kept) ? kept.filter(isJudged) : [];
  }
}

/** Anything may lie in a storage: other programs under the same address write there too. */
function isJudged(value: unknown): value is Judged {
  const { id, query, grades } = (value ?? {}) as Partial<Record<keyof Judged, unknown>>;
  const isGrade = (pair: unknown): boolean =>
    Array.isArray(pair) && pair.length === 2 && typeof pair[0] === 'string' && GRADES[pair[1]] !== undefined;
  return (
    typeof id === 'string' &&
    /^q\d{1,9}$/.test(id) &&
    typeof query === 'string' &&
    Array.isArray(grades) &&
    grades.every(isGrade)
  );
}
