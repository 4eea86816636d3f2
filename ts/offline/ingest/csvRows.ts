import { isUtf8 } from 'node:buffer';
import { finished } from 'node:stream/promises';
import { CsvError, type Options, type Parser, parse } from 'csv-parse';

/** A row's cells, with the number of its first line; or why it could not be read. */
export type Row = { line: number; cells: string[] } | { line: number; error: string };

/** Longest row that is taken into memory. */
const MAX_ROW_BYTES = 64 * 2 ** 20;
/** As far as the end of the first row is looked for, to tell the delimiter by it. */
const MAX_HEAD_BYTES = 2 ** 20;

const LF = 10;
const QUOTE = 34;

const MISQUOTED = 'has a quotation mark inside an unquoted cell, or text after a quoted one';

/**
 * Splits comma- or semicolon-separated values (RFC 4180) into rows; blank lines are passed over. A row with an error
 * does not harm the next one, except where its end cannot be told: a quotation mark that is never closed, or a row
 * longer than `maxRowBytes`, ends the reading.
 */
export async function* csvRows(
  chunks: AsyncIterable<Uint8Array>,
  maxRowBytes = MAX_ROW_BYTES,
): AsyncGenerator<Row, void, undefined> {
  let reader: RowReader | undefined;
  try {
    for await (const chunk of headed(chunks)) {
      reader ??= new RowReader(delimiterOf(chunk), maxRowBytes);
      yield* await reader.write(chunk);
    }
    if (reader !== undefined) yield* await reader.end();
  } catch (error) {
    if (reader === undefined || !(error instanceof CsvError)) throw error;
    if (error.code === 'CSV_QUOTE_NOT_CLOSED') {
      yield* reader.fail(
        'opens a quotation mark that is never closed: all that follows was taken for its cell',
      );
    } else if (error.code === 'CSV_MAX_RECORD_SIZE') {
      yield* reader.fail(
        `is longer than ${maxRowBytes} bytes, as a quotation mark that is never closed makes it: nothing that ` +
          'follows was read',
      );
    } else throw error;
  }
}

/** Passes the bytes on, so that the first chunk holds the whole first row that is not blank. */
async function* headed(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (head === undefined) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < MAX_HEAD_BYTES && !head.toString('latin1').trimStart().includes('\n')) continue;
    yield head;
    head = undefined;
  }
  if (head !== undefined) yield head;
}

function delimiterOf(head: Uint8Array): string {
  const [row = ''] = Buffer.from(head).toString('latin1').trimStart().split('\n', 1);
  return !row.includes(',') && row.includes(';') ? ';' : ',';
}

/**
 * Turns chunks into the rows that end in them. csv-parse reads leniently here, so that a row with a stray quotation
 * mark ends where its line does; what it forgave is told by comparing the bytes that a cell took with its text.
 * Rows are collected by a callback while csv-parse takes a chunk: no chunk is read before those rows are wanted.
 */
class RowReader {
  readonly #parser: Parser;
  #rows: Row[] = [];
  /** First line of the row that is being read. */
  #line = 1;
  /** Line breaks in its quoted cells so far. */
  #breaks = 0;
  #error: string | undefined;
  /** Offset in the file at which the next cell begins. */
  #start = 0;
  /** Bytes that the last cell took, quotation marks included. */
  #extent = 0;

  constructor(delimiter: string, maxRowBytes: number) {
    const options: Options = {
      delimiter,
      record_delimiter: ['\r\n', '\n'],
      encoding: null,
      relax_quotes: true,
      relax_column_count: true,
      max_record_size: maxRowBytes,
      // With this encoding the cells that csv-parse declares as strings are buffers.
      cast: (cell, { bytes, quoting }) => this.#cell(cell as unknown as Buffer, bytes, quoting),
      on_record: (cells: string[], { bytes }) => this.#row(cells, bytes),
    };
    this.#parser = parse(options);
    this.#parser.on('error', () => {}); // write() and end() reject with it
  }

  async write(chunk: Uint8Array): Promise<Row[]> {
    await new Promise<void>((resolve, reject) => {
      this.#parser.write(chunk, (error) => (error ? reject(error) : resolve()));
    });
    return this.#take();
  }

  async end(): Promise<Row[]> {
    this.#parser.end('\n'); // completes a CRLF that was cut; the blank row it may make is passed over
    await finished(this.#parser, { readable: false });
    return this.#take();
  }

  /** The rows before an error of the parser, and the one that it is in. */
  fail(error: string): Row[] {
    return [...this.#take(), { line: this.#line, error }];
  }

  #take(): Row[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  #cell(cell: Buffer, end: number, quoted: boolean): string {
    this.#extent = end - this.#start;
    this.#start = end + 1;
    if (!isUtf8(cell)) this.#error ??= this.#notUtf8(cell);
    const marks = count(cell, QUOTE);
    if (quoted ? this.#extent !== cell.length + marks + 2 : marks > 0) this.#error ??= MISQUOTED;
    this.#breaks += count(cell, LF);
    return cell.toString('utf8').replaceAll('\r\n', '\n');
  }

  #notUtf8(cell: Buffer): string {
    const lines = cell.toString('latin1').split('\n');
    const line = this.#breaks + lines.findIndex((text) => !isUtf8(Buffer.from(text, 'latin1')));
    return line === 0
      ? 'is not valid UTF-8'
      : `goes on in line ${this.#line + line}, which is not valid UTF-8`;
  }

  #row(cells: string[], end: number): null {
    const blank = cells.length === 1 && this.#extent === 0;
    if (!blank) {
      this.#rows.push(
        this.#error === undefined ? { line: this.#line, cells } : { line: this.#line, error: this.#error },
      );
    }
    this.#line += this.#breaks + 1;
    this.#breaks = 0;
    this.#error = undefined;
    this.#start = end;
    return null;
  }
}

function count(bytes: Buffer, byte: number): number {
  let found = 0;
  for (let at = bytes.indexOf(byte); at >= 0; at = bytes.indexOf(byte, at + 1)) found++;
  return found;
}
