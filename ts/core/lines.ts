import { isUtf8 } from 'node:buffer';

export interface Line {
  /** Counts from 1. */
  line: number;
  /** Without its line break; empty where the line was too long. */
  text: string;
  /** Length of the line without its line feed. */
  bytes: number;
  /** What is wrong with the line, as the end of a sentence that begins with the line. */
  error: string | undefined;
}

/** Longest line that is taken into memory. */
export const MAX_LINE_BYTES = 64 * 2 ** 20;

const LF = 10;
const CR = 13;

/**
 * Splits bytes at LF or CRLF. A line that is not UTF-8, or longer than `maxBytes`, comes out as an error with its
 * number, and the next line as usual; the bytes of a line that is too long are dropped while they are read.
 */
export async function* lines(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes = MAX_LINE_BYTES,
): AsyncGenerator<Line, void, undefined> {
  let parts: Uint8Array[] = [];
  let length = 0;
  let line = 0;

  const add = (part: Uint8Array): void => {
    length += part.length;
    if (length > maxBytes) parts = [];
    else if (part.length > 0) parts.push(part);
  };
  const take = (): Line => {
    const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    const size = length;
    parts = [];
    length = 0;
    line++;
    if (size > maxBytes) {
      return {
        line,
        text: '',
        bytes: size,
        error: `is ${size} bytes long; at most ${maxBytes} are accepted`,
      };
    }
    const end = bytes.at(-1) === CR ? bytes.length - 1 : bytes.length;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, end).toString('utf8');
    return { line, text, bytes: size, error: isUtf8(bytes) ? undefined : 'is not valid UTF-8' };
  };

  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      add(chunk.subarray(start, end));
      yield take();
      start = end + 1;
    }
    add(chunk.subarray(start));
  }
  if (length > 0) yield take();
}
