import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import { SeineError } from '../../core/errors.ts';

/** Enough of the start to tell the format by. */
const HEAD_BYTES = 4096;

/** An open file or stream, read from its start, byte order mark removed. */
export interface Source {
  /** As messages name it. */
  name: string;
  /** Bytes in all, where that is known. */
  size: number | undefined;
  /** The first bytes. */
  head: Uint8Array;
  /** All bytes, the head included; can be read once. */
  chunks: AsyncIterable<Uint8Array>;
  /** Bytes that have been read so far. */
  bytesRead(): number;
}

/**
 * Opens `path`: a file, a directory with a `corpus.jsonl` (the BEIR layout), or `-` for `stdin`.
 * When `signal` aborts, reading ends with an error.
 */
export async function openSource(
  path: string,
  options: { signal: AbortSignal; stdin?: Readable | undefined },
): Promise<Source> {
  const { signal, stdin = process.stdin } = options;
  if (path === '-') return start('standard input', undefined, addAbortSignal(signal, stdin));

  const found = await locate(path);
  const stream = createReadStream(found.path, { highWaterMark: 2 ** 18 });
  return start(found.path, found.size, addAbortSignal(signal, stream));
}

/** Bytes of a source as far as they are known before it is opened. */
export async function sourceSize(path: string): Promise<number | undefined> {
  return path === '-' ? undefined : (await locate(path)).size;
}

async function locate(path: string): Promise<{ path: string; size: number | undefined }> {
  for (const candidate of [path, join(path, 'corpus.jsonl')]) {
    const stats = await stat(candidate).catch((cause: NodeJS.ErrnoException) => {
      if (candidate !== path) return undefined;
      const reason = cause.code === 'ENOENT' ? 'there is none' : cause.message;
      throw new SeineError('ERR_NOT_FOUND', `A file or directory was expected at "${path}": ${reason}.`, {
        cause,
      });
    });
    if (stats === undefined) break;
    if (!stats.isDirectory()) return { path: candidate, size: stats.isFile() ? stats.size : undefined };
  }
  throw new SeineError(
    'ERR_NOT_FOUND',
    `The directory "${path}" has no corpus.jsonl: name a BEIR collection, or the files themselves.`,
  );
}

async function start(name: string, size: number | undefined, stream: Readable): Promise<Source> {
  const iterator: AsyncIterator<Uint8Array> = stream[Symbol.asyncIterator]();
  let read = 0;
  const next = async (): Promise<Uint8Array | undefined> => {
    const { done, value } = await iterator.next().catch((cause: NodeJS.ErrnoException) => {
      if (cause.name === 'AbortError') throw cause;
      throw new SeineError('ERR_NOT_FOUND', `${name} could not be read: ${cause.message}.`, { cause });
    });
    if (done) return undefined;
    read += value.length;
    return value;
  };

  let head = Buffer.alloc(0);
  while (head.length < HEAD_BYTES) {
    const chunk = await next();
    if (chunk === undefined) break;
    head = Buffer.concat([head, chunk]);
  }
  refuse(name, head);
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) head = head.subarray(3);

  async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      yield head;
      for (let chunk = await next(); chunk !== undefined; chunk = await next()) yield chunk;
    } finally {
      stream.destroy();
    }
  }
  return { name, size, head: head.subarray(0, HEAD_BYTES), chunks: chunks(), bytesRead: () => read };
}

/** Files that are no UTF-8 text at all are named for what they are, rather than reported line by line. */
function refuse(name: string, head: Uint8Array): void {
  const [first, second] = head;
  const remedy =
    first === 0x1f && second === 0x8b
      ? 'compressed by gzip: give it decompressed, as in "gunzip -c FILE | seine ingest - …"'
      : first === 0x50 && second === 0x4b && head[2] === 3
        ? 'a ZIP archive: unpack it first'
        : (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
          ? 'UTF-16 text: convert it to UTF-8 first'
          : undefined;
  if (remedy !== undefined) throw new SeineError('ERR_DATA', `${name} is ${remedy}.`);
}
