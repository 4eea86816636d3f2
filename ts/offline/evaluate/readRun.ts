import { SeineError, show } from '../../core/errors.ts';
import { readLines } from '../../core/readLines.ts';
import type { Run, RunEntry } from '../../core/types.ts';
import { fieldsOf } from './fields.ts';
import { trecOrder } from './trecOrder.ts';

const FIELDS = ['query', 'Q0', 'document', 'rank', 'score', 'tag'];
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const INFINITY = /^([+-]?)inf(inity)?$/i;

/**
 * Reads a TREC run (`query Q0 document rank score tag`, separated by tabs or spaces, lines in any order). As in
 * trec_eval, only the scores decide the order: the rank column is not read, and equal scores order by falling
 * document id.
 * @throws ERR_DATA with the line number for a wrong number of fields, a score that is not a number, or a document
 * that appears twice for a query; ERR_NOT_FOUND if the file cannot be read.
 */
export async function readRun(path: string): Promise<Run> {
  const byQuery = new Map<string, Map<string, number>>();
  for await (const line of readLines(path)) {
    const [query, , document, , scoreText] = fieldsOf(line, FIELDS) as [
      string,
      string,
      string,
      string,
      string,
    ];
    let entries = byQuery.get(query);
    if (entries === undefined) {
      entries = new Map();
      byQuery.set(query, entries);
    }
    if (entries.has(document)) {
      throw new SeineError(
        'ERR_DATA',
        `${line.place}: expected each document once per query, got ${show(document)} again for query ` +
          `${show(query)}; remove one of the two lines.`,
      );
    }
    entries.set(document, parseScore(scoreText, line.place));
  }
  if (byQuery.size === 0) {
    throw new SeineError('ERR_DATA', `${path}: expected a run (${FIELDS.join(' ')}), got an empty file.`);
  }
  return new Map([...byQuery].map(([query, entries]) => [query, ranked(entries)]));
}

function ranked(scores: Map<string, number>): RunEntry[] {
  return trecOrder([...scores].map(([id, score]) => ({ id, score })));
}

function parseScore(text: string, place: string): number {
  if (NUMBER.test(text)) return Number(text);
  const infinite = INFINITY.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  throw new SeineError('ERR_DATA', `${place}: expected a number as score, got ${show(text)}.`);
}
