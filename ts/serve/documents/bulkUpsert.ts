import { setImmediate } from 'node:timers/promises';
import { AttributeTypes } from '../../core/attributeTypes.ts';
import { convertValue, EXPECTED_VALUES, type RawValue } from '../../core/attributeValues.ts';
import { SeineError, show } from '../../core/errors.ts';
import type { Attributes, AttributeType, Document } from '../../core/types.ts';
import type { UpsertResult } from '../../upsert.ts';
import { DetailedError } from '../errorReply.ts';
import type { SliceSizer } from '../sliceSizer.ts';
import { itemUnits, sliceEnd } from '../slices.ts';
import { type Entry, type Place, placeText } from './entries.ts';
import { readDocument, type UntypedDocument } from './readDocument.ts';

/** What a bulk upsert did, over all its slices. */
export type Stored = UpsertResult;

export interface BulkOptions {
  /** Of the index: the types that it gives its attributes already, and its generation. */
  info: { attributes: Record<string, AttributeType>; generation: number };
  /** All documents or none. */
  atomic: boolean;
  sizer: SliceSizer;
  /** One unit of work: resolves when the documents are stored. Calls `onStart` when the work begins. */
  upsert(documents: Document[], onStart: () => void): Promise<UpsertResult>;
}

/** As `seine ingest` has them: what the types of new attributes are found in. */
const BATCH_DOCUMENTS = 2048;
const BATCH_CHARACTERS = 2 ** 19;
/** Of documents with all that they hold: what bounds the memory of a stream. */
const BATCH_BYTES = 2 ** 22;

interface Placed<T> {
  place: Place;
  bytes: number;
  document: T;
}

/**
 * Stores documents as they come, slice by slice, each durable before the next; no more than a batch is held, unless
 * `atomic`. At the first bad one it throws with the place (`line` or `document`) and what was stored before (`stored`).
 */
export async function bulkUpsert(
  entries: AsyncIterable<Entry> | Iterable<Entry>,
  options: BulkOptions,
): Promise<Stored> {
  const writer = new BulkWriter(options);
  try {
    let batch: Placed<UntypedDocument>[] = [];
    let characters = 0;
    let bytes = 0;
    for await (const entry of entries) {
      const document = await writer.read(entry, batch);
      batch.push({ place: entry.place, bytes: entry.bytes, document });
      characters += document.text.length;
      bytes += entry.bytes;
      if (batch.length < BATCH_DOCUMENTS && characters < BATCH_CHARACTERS && bytes < BATCH_BYTES) continue;
      await writer.write(batch);
      batch = [];
      characters = 0;
      bytes = 0;
      // Where nothing was waited for, as what is held has not been stored, others get their turn of the event loop.
      await setImmediate();
    }
    await writer.write(batch);
    return await writer.end();
  } catch (error) {
    if (!(error instanceof SeineError)) throw error;
    throw withStored(error, writer.stored);
  }
}

class BulkWriter {
  readonly stored: Stored;
  readonly #options: BulkOptions;
  readonly #types: AttributeTypes;
  /** What waits for the end, if all or nothing is to be stored. */
  readonly #held: Document[] = [];

  constructor(options: BulkOptions) {
    this.#options = options;
    const { attributes, generation } = options.info;
    this.#types = new AttributeTypes(attributes);
    this.stored = { inserted: 0, updated: 0, unchanged: 0, generation, tokens: 0, truncated: 0 };
  }

  /** The entry's document; writes the batch before it throws. */
  async read(entry: Entry, batch: Placed<UntypedDocument>[]): Promise<UntypedDocument> {
    try {
      if ('error' in entry) throw new SeineError('ERR_DATA', entry.error);
      return readDocument(entry.value);
    } catch (error) {
      await this.write(batch);
      throw at(entry.place, error);
    }
  }

  async write(batch: Placed<UntypedDocument>[]): Promise<void> {
    this.#types.learn(rawValues(batch));
    const typed: Placed<Document>[] = [];
    let bad: unknown;
    for (const { place, bytes, document } of batch) {
      try {
        typed.push({ place, bytes, document: this.#typed(document) });
      } catch (error) {
        bad = at(place, error);
        break;
      }
    }
    if (this.#options.atomic) this.#held.push(...typed.map(({ document }) => document));
    else await this.#writeSlices(typed);
    if (bad !== undefined) throw bad;
  }

  async end(): Promise<Stored> {
    if (this.#options.atomic) this.#add(await this.#options.upsert(this.#held, () => {}));
    return this.stored;
  }

  async #writeSlices(documents: Placed<Document>[]): Promise<void> {
    const { sizer } = this.#options;
    const unitsOf = documents.map(({ bytes }) => itemUnits(bytes));
    for (let start = 0; start < documents.length; ) {
      const { end, units } = sliceEnd(unitsOf, start, sizer.units);
      const slice = documents.slice(start, end);
      let begun = performance.now();
      await this.#writeSlice(slice, () => {
        begun = performance.now();
      });
      sizer.observe(units, performance.now() - begun);
      start = end;
    }
  }

  async #writeSlice(slice: Placed<Document>[], onStart: () => void): Promise<void> {
    const { upsert } = this.#options;
    try {
      this.#add(
        await upsert(
          slice.map(({ document }) => document),
          onStart,
        ),
      );
    } catch (error) {
      if (!(error instanceof SeineError) || error.status !== 422) throw error;
      if (slice.length === 1) throw at(slice[0]!.place, error);
      // The store refuses the slice as a whole: what comes before the bad one is stored alone.
      for (const one of slice) await this.#writeSlice([one], onStart);
    }
  }

  #add(result: UpsertResult): void {
    const { stored } = this;
    stored.inserted += result.inserted;
    stored.updated += result.updated;
    stored.unchanged += result.unchanged;
    stored.tokens += result.tokens;
    stored.truncated += result.truncated;
    stored.generation = result.generation;
  }

  #typed({ id, title, text, attributes }: UntypedDocument): Document {
    const typed: [string, Attributes[string]][] = [];
    for (const [name, value] of attributes) {
      const type = this.#types.get(name);
      const converted = type === undefined ? null : convertValue(rawValue(value), type);
      if (converted === undefined) {
        throw new SeineError(
          'ERR_ATTRIBUTE_TYPE',
          `must hold ${EXPECTED_VALUES[type!]} in the attribute ${show(name)}, got ${show(value)}`,
        );
      }
      if (converted !== null) typed.push([name, converted]);
    }
    return { id, ...(title !== undefined && { title }), text, attributes: Object.fromEntries(typed) };
  }
}

const rawValue = (value: unknown): RawValue => ({ value, textual: false });

function* rawValues(batch: Placed<UntypedDocument>[]): Generator<[string, RawValue]> {
  for (const { document } of batch) {
    for (const [name, value] of document.attributes) yield [name, rawValue(value)];
  }
}

/** The error of what stands at `place`: a whole sentence, and the place for programs. */
function at(place: Place, error: unknown): unknown {
  if (!(error instanceof SeineError) || error instanceof DetailedError) return error;
  const whole = /^[A-Z]/.test(error.message) ? `${placeText(place)}: ${error.message}` : undefined;
  return new DetailedError(error.code, whole ?? `${placeText(place)} ${error.message}.`, { ...place });
}

/** The same error with what was stored before it. */
function withStored(error: SeineError, stored: Stored): SeineError {
  const details = { ...(error instanceof DetailedError && error.details), stored };
  const told = new DetailedError(error.code, error.message, details, { cause: error.cause });
  return 'retryAfterMs' in error ? Object.assign(told, { retryAfterMs: error.retryAfterMs }) : told;
}
