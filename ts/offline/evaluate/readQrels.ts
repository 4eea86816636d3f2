import { SeineError, show } from '../../core/errors.ts';
import { type Line, readLines } from '../../core/readLines.ts';
import type { Qrels } from '../../core/types.ts';
import { fieldsOf } from './fields.ts';

const TREC = ['query', 'iteration', 'document', 'grade'];
const BEIR = ['query-id', 'corpus-id', 'score'];
const MAX_GRADE = 1000;

/**
 * Reads relevance grades: TREC (`query 0 document grade`) or BEIR (tab-separated, with the header
 * `query-id corpus-id score`); the first line tells which. Grades are whole numbers up to 1000; those below 1 are
 * not relevant.
 * @throws ERR_DATA with the line number for a wrong number of fields, a grade that is no such number, or a pair
 * that appears twice; ERR_NOT_FOUND if the file cannot be read.
 */
export async function readQrels(path: string): Promise<Qrels> {
  const qrels: Qrels = new Map();
  let beir: boolean | undefined;
  for await (const line of readLines(path)) {
    if (beir === undefined) {
      beir = isBeirHeader(line);
      if (beir) continue;
    }
    const [query, document, grade] = beir ? beirFields(line) : trecFields(line);
    let grades = qrels.get(query);
    if (grades === undefined) {
      grades = new Map();
      qrels.set(query, grades);
    }
    if (grades.has(document)) {
      throw new SeineError(
        'ERR_DATA',
        `${line.place}: expected each pair once, got document ${show(document)} again for query ` +
          `${show(query)}; remove one of the two lines.`,
      );
    }
    grades.set(document, parseGrade(grade, line.place));
  }
  if (qrels.size === 0) {
    throw new SeineError(
      'ERR_DATA',
      `${path}: expected relevance grades (TREC: ${TREC.join(' ')}; BEIR: ${BEIR.join(' ')}), got none.`,
    );
  }
  return qrels;
}

/** A first line of three columns is BEIR's, which must be its header: without it, the columns could mean anything. */
function isBeirHeader({ place, text }: Line): boolean {
  const columns = text.trim().split(/\s+/);
  if (columns.length === 3 && BEIR.every((name, i) => columns[i]!.toLowerCase() === name)) return true;
  if (columns.length !== 3) return false;
  throw new SeineError(
    'ERR_DATA',
    `${place}: expected four columns (${TREC.join(' ')}) or BEIR's header (${BEIR.join(', tab, ')}), ` +
      `got ${show(text)}; add the header if these are its columns.`,
  );
}

function beirFields({ place, text }: Line): [string, string, string] {
  const columns = text.split('\t').map((column) => column.trim());
  if (columns.length !== 3 || columns.includes('')) {
    throw new SeineError(
      'ERR_DATA',
      `${place}: expected 3 columns separated by tabs (${BEIR.join(' ')}), got ${show(text)}.`,
    );
  }
  return columns as [string, string, string];
}

function trecFields(line: Line): [string, string, string] {
  const [query, , document, grade] = fieldsOf(line, TREC) as [string, string, string, string];
  return [query, document, grade];
}

function parseGrade(text: string, place: string): number {
  const grade = /^[+-]?\d+(\.0*)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(Math.abs(grade) <= MAX_GRADE)) {
    throw new SeineError(
      'ERR_DATA',
      `${place}: expected a whole number from -${MAX_GRADE} to ${MAX_GRADE} as grade, got ${show(text)}.`,
    );
  }
  return grade;
}
