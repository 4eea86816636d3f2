import { SeineError } from '../../core/errors.ts';
import { lines, MAX_LINE_BYTES } from './lines.ts';
import type { Entry } from './record.ts';

/** A row's cells, with the number of its first line; or why it could not be read. */
type Row = { line: number; cells: string[] } | { line: number; error: string };

const MISQUOTED = 'has a quotation mark inside an unquoted cell, or text after a quoted one';

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

async function* csvRows(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Row, void, undefined> {
  let delimiter: string | undefined;
  let pending: { line: number; texts: string[]; length: number; error: string | undefined } | undefined;
  for await (const { line, text, error } of lines(chunks)) {
    if (pending === undefined && text === '' && error === undefined) continue;
    delimiter ??= !text.includes(',') && text.includes(';') ? ';' : ',';
    const open: boolean = quoteOpen(text, delimiter, pending !== undefined);
    pending ??= { line, texts: [], length: 0, error: undefined };
    if (error !== undefined) {
      pending.error ??= line === pending.line ? error : `goes on in line ${line}, which ${error}`;
    }
    pending.length += text.length;
    if (pending.length > MAX_LINE_BYTES) {
      pending.error ??= `opens a quotation mark that is not closed within ${MAX_LINE_BYTES} characters`;
      pending.texts = [];
    } else {
      pending.texts.push(text);
    }
    if (open) continue;
    const cells = pending.error === undefined ? split(pending.texts.join('\n'), delimiter) : undefined;
    yield cells === undefined
      ? { line: pending.line, error: pending.error ?? MISQUOTED }
      : { line: pending.line, cells };
    pending = undefined;
  }
  if (pending !== undefined) {
    yield {
      line: pending.line,
      error:
        pending.error ??
        'opens a quotation mark that is never closed: all that follows was taken for its cell',
    };
  }
}

/** Whether a quoted cell is open at the end of `text`, given whether one was open at its start. */
function quoteOpen(text: string, delimiter: string, openAtStart: boolean): boolean {
  let open = openAtStart;
  let from = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', from)) {
    from = at + 1;
    if (!open) {
      open = at === 0 || text[at - 1] === delimiter; // elsewhere a mark opens nothing, and the parser refuses it
    } else if (text[at + 1] === '"') {
      from = at + 2;
    } else {
      open = false;
    }
  }
  return open;
}

/** The cells of one record, or `undefined` if its quotation marks are not as RFC 4180 has them. */
function split(text: string, delimiter: string): string[] | undefined {
  if (!text.includes('"')) return text.split(delimiter);
  const cells: string[] = [];
  for (let start = 0; start <= text.length; ) {
    let end: number;
    if (text[start] === '"') {
      end = start + 1;
      for (let at = text.indexOf('"', end); ; at = text.indexOf('"', end)) {
        end = at + (text[at + 1] === '"' ? 2 : 1);
        if (text[at + 1] !== '"') break;
      }
      if (end < text.length && text[end] !== delimiter) return undefined;
      cells.push(text.slice(start + 1, end - 1).replaceAll('""', '"'));
    } else {
      end = text.indexOf(delimiter, start);
      if (end < 0) end = text.length;
      const cell = text.slice(start, end);
      if (cell.includes('"')) return undefined;
      cells.push(cell);
    }
    start = end + 1;
  }
  return cells;
}
