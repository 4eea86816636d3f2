import { createReadStream } from 'node:fs';
import { SeineError, show } from '../../core/errors.ts';

export interface Line {
  /** `path, line 7`: how an error names the place. */
  place: string;
  /** Without line break; blank lines do not appear. */
  text: string;
}

const MAX_LINE_BYTES = 16 * 2 ** 20;
const LF = 10;

/**
 * The lines of a UTF-8 file that are not blank, one at a time; LF and CRLF, with or without byte order mark.
 * @throws ERR_NOT_FOUND if the file cannot be read; ERR_DATA at a line that is not UTF-8 or longer than 16 MiB.
 */
export async function* readLines(path: string): AsyncGenerator<Line, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  let number = 0;

  const keep = (part: Uint8Array): void => {
    pending.push(part);
    pendingBytes += part.length;
    if (pendingBytes > MAX_LINE_BYTES) {
      throw new SeineError(
        'ERR_DATA',
        `${path}, line ${number + 1}: expected a line of at most ${MAX_LINE_BYTES} bytes, got more; ` +
          'check that this is a text file with one record a line.',
      );
    }
  };
  const take = (): Line | undefined => {
    const bytes = pending.length === 1 ? pending[0]! : Buffer.concat(pending);
    pending = [];
    pendingBytes = 0;
    number++;
    const place = `${path}, line ${number}`;
    try {
      let text = decoder.decode(bytes);
      if (number === 1 && text.startsWith('\ufeff')) text = text.slice(1);
      if (text.endsWith('\r')) text = text.slice(0, -1);
      return text.trim() === '' ? undefined : { place, text };
    } catch (cause) {
      throw new SeineError('ERR_DATA', `${place}: expected UTF-8 text, got other bytes; convert the file.`, {
        cause,
      });
    }
  };

  for await (const chunk of chunksOf(path)) {
    let start = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      keep(chunk.subarray(start, end));
      const line = take();
      if (line !== undefined) yield line;
      start = end + 1;
    }
    if (start < chunk.length) keep(chunk.subarray(start));
  }
  if (pendingBytes > 0) {
    const line = take();
    if (line !== undefined) yield line;
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
