import type { Readable } from 'node:stream';
import { SeineError } from '../../core/errors.ts';
import type { AttributeType, Document } from '../../core/types.ts';
import { type BadLine, type Batch, batches } from './batches.ts';
import type { FieldOptions } from './fields.ts';
import type { Format } from './format.ts';
import { sourceSize } from './source.ts';
import { AttributeTyper } from './typer.ts';

/** What a commit of documents did. */
export interface UpsertCounts {
  inserted: number;
  updated: number;
  /** Documents whose content was there already; they were not encoded again. */
  unchanged: number;
  tokens: number;
  /** Texts (documents or their passages) that were cut to the encoder's longest input. */
  truncated: number;
}

/** Where documents go: an open index. */
export interface IngestTarget {
  /** Encodes what is new or changed, and commits all of `documents` or none of them. */
  upsert(documents: Document[], options: UpsertOptions): Promise<UpsertCounts>;
}

export interface UpsertOptions {
  signal?: AbortSignal | undefined;
  /** Called as the texts of this commit are encoded. */
  onProgress?: ((done: { tokens: number }) => void) | undefined;
}

export interface IngestOptions extends FieldOptions {
  /** Found by the name and the first bytes unless given. */
  format?: Format | undefined;
  /** Types that the index gives its attributes already. */
  knownTypes?: Record<string, AttributeType> | undefined;
  /** Types that the user gives; they go before all others. */
  types?: Record<string, AttributeType> | undefined;
  /** Stops at the first bad line with `ERR_DATA`, when what stands before it is committed. */
  strict?: boolean | undefined;
  /** Most documents in a commit: 2048 unless given. */
  batchDocuments?: number | undefined;
  /** When it aborts, the commit under way is finished or dropped, and the summary says `interrupted`. */
  signal?: AbortSignal | undefined;
  onBadLine?: ((bad: BadLine) => void) | undefined;
  onProgress?: ((progress: IngestProgress) => void) | undefined;
  /** What the source `-` reads: standard input unless given. */
  stdin?: Readable | undefined;
}

export interface IngestProgress {
  /** Documents committed so far. */
  documents: number;
  /** Tokens encoded so far. */
  tokens: number;
  /** Part of the bytes whose documents are committed, where the sizes are known. */
  fraction: number | undefined;
}

export interface IngestSummary extends UpsertCounts {
  /** Documents that were read and committed. */
  documents: number;
  /** Documents that a later one with the same id replaced in the same commit. */
  superseded: number;
  badLines: number;
  /** Milliseconds. */
  elapsed: number;
  tokensPerSecond: number;
  interrupted: boolean;
  /** Attributes that were asked for by name and that no document has. */
  unseenAttributes: string[];
}

/** A bad line as a sentence. */
export function badLineMessage({ source, line, reason }: BadLine): string {
  return `Line ${line} of ${source} ${reason}.`;
}

/**
 * Reads documents from `paths` (files, BEIR directories, `-`) and commits them in batches; the next batch is read
 * while the former is encoded, and no more than that is held. Of two documents with the same id the later stays.
 * Bad lines are reported and passed over. Run again after an interruption, it encodes only what was not committed,
 * because the target knows unchanged documents.
 */
export async function ingest(
  target: IngestTarget,
  paths: string[],
  options: IngestOptions = {},
): Promise<IngestSummary> {
  const started = performance.now();
  const sizes = await Promise.all(paths.map(sourceSize));
  const totalBytes = sizes.reduce<number>((sum, size) => sum + (size ?? Number.NaN), 0);
  const typer = new AttributeTyper(options.knownTypes, options.types);
  const counts = { inserted: 0, updated: 0, unchanged: 0, tokens: 0, truncated: 0 };
  const read = { documents: 0, superseded: 0, badLines: 0 };
  let firstBad: BadLine | undefined;
  let committedBytes = 0;

  /** The documents of a batch with their types, by id; in strict mode up to the first bad line. */
  const take = (batch: Batch): { documents: Map<string, Document>; taken: number } => {
    const documents = new Map<string, Document>();
    let taken = 0;
    typer.learn(batch.items);
    for (const item of batch.items) {
      const document = 'reason' in item ? item : typer.convert(item);
      if ('reason' in document) {
        firstBad ??= document;
        read.badLines++;
        options.onBadLine?.(document);
        if (options.strict) break;
      } else {
        taken++;
        documents.delete(document.id);
        documents.set(document.id, document);
      }
    }
    return { documents, taken };
  };

  const commit = async (batch: Batch, documents: Map<string, Document>, taken: number): Promise<void> => {
    const report = (tokens: number, bytes: number): void => {
      const fraction = totalBytes > 0 ? bytes / totalBytes : undefined;
      options.onProgress?.({ documents: read.documents, tokens, fraction });
    };
    if (documents.size > 0) {
      const result = await target.upsert([...documents.values()], {
        signal: options.signal,
        onProgress: (done) => report(counts.tokens + done.tokens, committedBytes),
      });
      for (const key of Object.keys(counts) as (keyof UpsertCounts)[]) counts[key] += result[key];
      read.documents += taken;
      read.superseded += taken - documents.size;
    }
    committedBytes = batch.bytes;
    report(counts.tokens, committedBytes);
  };

  // Reading ends on the user's signal and when a commit fails, even while it waits for more input.
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  let pending: Promise<void> = Promise.resolve();
  let failure: { error: unknown } | undefined;
  try {
    const batchDocuments = options.batchDocuments ?? 2048;
    for await (const batch of batches(paths, { ...options, signal, batchDocuments })) {
      const { documents, taken } = take(batch);
      await pending;
      if (options.signal?.aborted) break;
      pending = commit(batch, documents, taken);
      pending.catch((error: unknown) => {
        failure ??= { error };
        stop.abort();
      });
      if (options.strict && firstBad !== undefined) break;
    }
    await pending;
  } catch (error) {
    await pending.catch(() => {}); // its error is in `failure`
    const cause = failure === undefined ? error : failure.error;
    if (!isAbort(cause, options.signal)) throw cause;
  }

  if (firstBad !== undefined && options.strict) throw new SeineError('ERR_DATA', badLineMessage(firstBad));
  const interrupted = options.signal?.aborted ?? false;
  if (firstBad !== undefined && read.documents === 0 && !interrupted) {
    const lines = read.badLines === 1 ? 'The only line is bad' : `All ${read.badLines} lines are bad`;
    throw new SeineError('ERR_DATA', `${lines}, and nothing was ingested. ${badLineMessage(firstBad)}`);
  }
  const elapsed = performance.now() - started;
  return {
    ...read,
    ...counts,
    elapsed,
    tokensPerSecond: (counts.tokens / elapsed) * 1000,
    interrupted,
    unseenAttributes: read.documents === 0 ? [] : typer.unseen(options.attributes ?? []),
  };
}

/** Whether `error` only says that `signal` aborted. */
function isAbort(error: unknown, signal: AbortSignal | undefined): boolean {
  if (!signal?.aborted) return false;
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError');
}
