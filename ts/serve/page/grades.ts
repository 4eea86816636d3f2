/** A query that was judged, and its grades by document. */
interface Judged {
  id: string;
  query: string;
  grades: [document: string, grade: number][];
}

/** What keeps the grades: `localStorage`. */
interface Keeper {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

const KEY = 'seine.grades';
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

  /** Grades of a query, by document. */
  of(query: string): Map<string, number> {
    return new Map(this.#read().find((judged) => judged.query === query)?.grades);
  }

  /** Gives a document its grade for a query; `undefined` takes it back. */
  set(query: string, document: string, grade: number | undefined): void {
    const all = this.#read();
    let judged = all.find((one) => one.query === query);
    if (judged === undefined) {
      judged = { id: `q${all.length + 1}`, query, grades: [] };
      all.push(judged);
    }
    judged.grades = judged.grades.filter(([id]) => id !== document);
    if (grade !== undefined) judged.grades.push([document, grade]);
    this.#keeper.setItem(KEY, JSON.stringify(all));
  }

  clear(): void {
    this.#keeper.removeItem(KEY);
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
    return JSON.parse(this.#keeper.getItem(KEY) ?? '[]') as Judged[];
  }
}
