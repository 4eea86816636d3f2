import type { Entry, Reader } from '../../../ts/offline/ingest/record.ts';

/** All entries that a reader makes of `input`, which arrives in chunks of `chunkBytes`. */
export async function readAll(reader: Reader, input: string | Uint8Array, chunkBytes = 7): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of reader(chunked(Buffer.from(input), chunkBytes))) entries.push(entry);
  return entries;
}

export async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
