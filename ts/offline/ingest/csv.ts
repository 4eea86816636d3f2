import { SeineError } from '../../core/errors.ts';
import { lines } from '../../core/lines.ts';
import { csvRows, type Row } from './csvRows.ts';
import type { Entry } from './record.ts';

/**
 * Reads comma-separated values (RFC 4180) whose first row names the columns. Quoted cells may hold line breaks,
 * which come out as LF. Semicolons separate where the first row has some and no comma. An empty cell is a
 * missing value.
 */
export async function* csv(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Entry, void, undefined> {
  yield* named(csvRows(chunks));
}

/** Reads tab-separated values whose first row names the columns; quotation marks have no meaning here. */
export async function* tsv(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Entry, void, undefined> {
  yield* named(tsvRows(chunks));
}

async function* named(rows: AsyncIterable<Row>): AsyncGenerator<Entry, void, undefined> {
  let columns: string[] | undefined;
  for await (const row of rows) {
    if (columns === undefined) {
      columns = header(row);
      continue;
    }
    if ('error' in row) {
      yield row;
    } else if (row.cells.length !== columns.length) {
      yield {
        line: row.line,
        error: `has ${row.cells.length} cells; the first row names ${columns.length} columns`,
      };
    } else {
      const names = columns;
      const cells = row.cells.map((cell, index): [string, string] => [names[index]!, cell]);
      yield { line: row.line, record: Object.fromEntries(cells.filter(([, cell]) => cell !== '')) };
    }
  }
}

function header(row: Row): string[] {
  if ('error' in row)
    throw new SeineError('ERR_DATA', `The first row must name the columns, but it ${row.error}.`);
  const columns = row.cells.map((cell) => cell.trim());
  const twice = columns.find((name, index) => name !== '' && columns.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new SeineError(
      'ERR_DATA',
      `The first row must name each column once, but "${twice}" is there twice.`,
    );
  }
  return columns;
}

async function* tsvRows(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Row, void, undefined> {
  for await (const { line, text, error } of lines(chunks)) {
    if (error !== undefined) yield { line, error };
    else if (text !== '') yield { line, cells: text.split('\t') };
  }
}
