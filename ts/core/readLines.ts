import { createReadStream } from 'node:fs';
import { SeineError, show } from './errors.ts';
import { lines } from './lines.ts';

export interface Line {
  /** `path, line 7`: how an error names the place. */
  place: string;
  /** Without line break; blank lines do not appear. */
  text: string;
}

const MAX_LINE_BYTES = 16 * 2 ** 20;

/**
 * The lines of a UTF-8 file that are not blank, one at a time; LF and CRLF, with or without byte order mark.
 * @throws ERR_NOT_FOUND if the file cannot be read; ERR_DATA at a line that is not UTF-8 or longer than 16 MiB.
 */
export async function* readLines(path: string): AsyncGenerator<Line, void, undefined> {
  for await (const { line, text: whole, error } of lines(chunksOf(path), MAX_LINE_BYTES)) {
    const place = `${path}, line ${line}`;
    if (error !== undefined) {
      throw new SeineError(
        'ERR_DATA',
        `${place} ${error}: expected UTF-8 text with one record a line; convert the file.`,
      );
    }
    const text = line === 1 && whole.startsWith('\ufeff') ? whole.slice(1) : whole;
    if (text.trim() !== '') yield { place, text };
  }
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of createReadStream(path)) yield chunk as Uint8Array;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is none' : message;
    throw new SeineError('ERR_NOT_FOUND', `Expected a readable file at ${show(path)}, got: ${reason}.`, {
      cause,
    });
  }
}
