/** A record as its file has it, before fields are mapped; or why it could not be read. `line` is its first line. */
export type Entry = { line: number; record: Record<string, unknown> } | { line: number; error: string };

/** Turns the bytes of a file into records, in order, holding one of them at a time. */
export type Reader = (chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Entry>;
