import type { Readable } from 'node:stream';
import { SeineError } from '../../core/errors.ts';
import { type FieldOptions, fieldMapper, type MappedRecord } from './fields.ts';
import { detectFormat, type Format, READERS } from './format.ts';
import { openSource } from './source.ts';

/** A line that gave no document. */
export interface BadLine {
  source: string;
  line: number;
  /** What is wrong, as the end of a sentence that begins with the line. */
  reason: string;
}

/** A document as it was read, with the place that it came from. */
export interface ReadDocument extends MappedRecord {
  source: string;
  line: number;
  /** Whether its file knows only text. */
  textual: boolean;
}

export interface Batch {
  /** In the order of the sources. */
  items: (ReadDocument | BadLine)[];
  /** Bytes of all sources that were read up to here. */
  bytes: number;
}

export interface BatchOptions extends FieldOptions {
  format?: Format | undefined;
  signal: AbortSignal;
  stdin?: Readable | undefined;
  /** Most items in a batch. */
  batchDocuments: number;
}

/** A batch ends with the document that brings its text to this many UTF-16 code units. */
const BATCH_CHARACTERS = 2 ** 19;

/** Reads `paths` one after the other in batches of bounded size; holds no more than the batch it makes. */
export async function* batches(
  paths: string[],
  options: BatchOptions,
): AsyncGenerator<Batch, void, undefined> {
  const map = fieldMapper(options);
  let items: Batch['items'] = [];
  let characters = 0;
  let bytesBefore = 0;
  for (const path of paths) {
    const source = await openSource(path, options);
    const format = options.format ?? detectFormat(source.name, source.head);
    for await (const entry of READERS[format](source.chunks)) {
      const place = { source: source.name, line: entry.line };
      if ('error' in entry) items.push({ ...place, reason: entry.error });
      else {
        try {
          const mapped = map(entry.record);
          items.push({ ...mapped, ...place, textual: format !== 'jsonl' });
          characters += mapped.text.length + (mapped.title?.length ?? 0);
        } catch (error) {
          if (!(error instanceof SeineError)) throw error;
          items.push({ ...place, reason: error.message });
        }
      }
      if (items.length >= options.batchDocuments || characters >= BATCH_CHARACTERS) {
        yield { items, bytes: bytesBefore + source.bytesRead() };
        items = [];
        characters = 0;
      }
    }
    bytesBefore += source.bytesRead();
  }
  if (items.length > 0) yield { items, bytes: bytesBefore };
}
