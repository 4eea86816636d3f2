import { decodeAllAttributes } from './attributes.ts';
import type { ChangesHead, RowBatch, SegmentRecord } from './protocol.ts';
import { columnsOf, segmentPath } from './segmentFile.ts';
import type { StoreClient } from './storeClient.ts';
import type { Change, MapFile } from './types.ts';

/** Documents that one slice carries, without and with their rows. */
const DOCUMENTS = 2000;
const DOCUMENTS_WITH_ROWS = 200;
/** Vectors of a segment file that one slice carries. */
const SEGMENT_BYTES = 8 << 20;

/** Reads changes through a client: see `Store.changes`. */
export class ChangeReader {
  readonly #client: StoreClient;
  readonly #path: string;
  readonly #mapFile: MapFile | undefined;

  constructor(client: StoreClient, path: string, mapFile: MapFile | undefined) {
    this.#client = client;
    this.#path = path;
    this.#mapFile = mapFile;
  }

  async *read(since: number): AsyncGenerator<Change, void, void> {
    let from = since;
    while (true) {
      const head = await this.#client.call('changesHead', { since: from });
      const whole = head.full ? yield* this.#readAll(head) : yield* this.#readSince(head, from);
      if (whole) {
        yield { kind: 'end', generation: head.generation };
        return;
      }
      from = 0; // another model was activated meanwhile, or removed documents were purged
    }
  }

  async *#readSince(head: ChangesHead, since: number): AsyncGenerator<Change, boolean, void> {
    const { generation } = head;
    let at = { deleted: since, doc: Number.MAX_SAFE_INTEGER };
    while (true) {
      const removed = await this.#client.call('changesRemoved', {
        since,
        generation,
        ...at,
        limit: DOCUMENTS,
      });
      if (removed === undefined) return false;
      const { docs, deleted } = removed;
      const doc = docs.at(-1);
      if (doc === undefined) break;
      at = { deleted, doc };
      yield { kind: 'removed', docs };
    }
    for await (const change of this.#documents(head, since)) {
      const { docs } = change;
      const wanted = docs.slice();
      yield change;
      if (head.model === undefined) continue;
      const { modelKey } = head;
      const { dim } = head.model;
      for (let first = 0; first < wanted.length; first += DOCUMENTS_WITH_ROWS) {
        const docs = wanted.slice(first, first + DOCUMENTS_WITH_ROWS);
        const batch = await this.#client.call('changesRows', { modelKey, dim, docs });
        if (batch === undefined) return false;
        if (batch.rows.length > 0) yield { kind: 'rows', ...batch, dim };
      }
    }
    return true;
  }

  /** The documents that are live at the head's generation and were made after generation `since`. */
  async *#documents(
    head: ChangesHead,
    since: number,
  ): AsyncGenerator<Change & { kind: 'documents' }, void, void> {
    const page = (created: number, doc: number) => {
      const { generation } = head;
      const reading = this.#client.call('changesDocuments', { created, doc, generation, limit: DOCUMENTS });
      reading.catch(() => {}); // whoever asks for it hears of it, and nobody may
      return reading;
    };
    let next = page(since, Number.MAX_SAFE_INTEGER);
    while (true) {
      const { docs, ids, attributes, created } = await next;
      const doc = docs.at(-1);
      if (doc === undefined) return;
      // Read by the worker while this one is taken up.
      const last = docs.length < DOCUMENTS;
      if (!last) next = page(created, doc);
      yield { kind: 'documents', docs, ids: ids.split('\0'), attributes: decodeAllAttributes(attributes) };
      if (last) return;
    }
  }

  async *#readAll(head: ChangesHead): AsyncGenerator<Change, boolean, void> {
    yield { kind: 'reset', model: head.model };
    const live = new LiveDocuments();
    for await (const change of this.#documents(head, 0)) {
      live.add(change.docs);
      yield change;
    }
    if (head.model === undefined) return true;
    const { dim } = head.model;
    let after = 0;
    for (const segment of head.segments) {
      if (segment.count > 0 && !(await this.#usable(segment, dim))) continue;
      if (!(yield* this.#range(head, live, after, segment.from - 1))) return false;
      after = yield* this.#segment(segment, live, dim, after);
    }
    return yield* this.#range(head, live, after, head.lastRow);
  }

  /** Rows with keys in (`after`, `to`] from the database. */
  async *#range(
    head: ChangesHead,
    live: LiveDocuments,
    after: number,
    to: number,
  ): AsyncGenerator<Change, boolean, void> {
    const { modelKey } = head;
    const dim = head.model!.dim;
    let at = after;
    while (at < to) {
      const batch = await this.#client.call('changesRows', { modelKey, dim, after: at, to });
      if (batch === undefined) return false;
      const last = batch.rows.at(-1);
      if (last === undefined) break;
      at = last;
      yield* live.only(batch, dim);
    }
    return true;
  }

  /** Verifies a segment file; one that is missing or damaged is dropped, and its rows come from the database. */
  async #usable(segment: SegmentRecord, dim: number): Promise<boolean> {
    try {
      let at = { offset: 0, crc: 0 };
      while (true) {
        const next = await this.#client.call('segmentCheck', { segment, dim, ...at });
        if (next?.done) return true;
        if (next === undefined) {
          await this.#drop(segment, undefined);
          return false;
        }
        at = { offset: next.offset, crc: next.crc };
      }
    } catch (error) {
      await this.#drop(segment, error);
      return false;
    }
  }

  /** Rows of a file; returns the key up to which they were read: less than all if the file vanished meanwhile. */
  async *#segment(
    segment: SegmentRecord,
    live: LiveDocuments,
    dim: number,
    after: number,
  ): AsyncGenerator<Change, number, void> {
    if (segment.count === 0) return segment.to;
    const slice = Math.max(1, Math.floor(SEGMENT_BYTES / (dim * 4)));
    const mapped = this.#mapFile?.(segmentPath(this.#path, segment.name), 0, segment.bytes);
    const columns = mapped && columnsOf(mapped, segment.count, dim);
    let at = after;
    let kept = 0;
    for (let first = 0; first < segment.count; first += slice) {
      const count = Math.min(slice, segment.count - first);
      let batch: RowBatch;
      try {
        batch = columns
          ? part(columns, first, count, dim)
          : await this.#client.call('segmentRows', { segment, dim, first, count });
      } catch (error) {
        await this.#drop(segment, error);
        return at;
      }
      at = batch.rows.at(-1)!;
      for (const change of live.only(batch, dim)) {
        kept += change.rows.length;
        yield change;
      }
    }
    if (kept * 2 < segment.count) {
      await this.#client.call('segmentDrop', { name: segment.name, reason: undefined });
    }
    return segment.to;
  }

  async #drop({ name }: SegmentRecord, error: unknown): Promise<void> {
    const reason = error instanceof Error ? `cannot be read (${error.message})` : 'is damaged';
    await this.#client.call('segmentDrop', { name, reason });
  }
}

/** Rows `[first, first + count)` of a batch, as views. */
function part(batch: RowBatch, first: number, count: number, dim: number): RowBatch {
  const end = first + count;
  return {
    rows: batch.rows.subarray(first, end),
    docs: batch.docs.subarray(first, end),
    starts: batch.starts.subarray(first, end),
    ends: batch.ends.subarray(first, end),
    vectors: batch.vectors.subarray(first * dim, end * dim),
  };
}

/** A set of document keys, one bit each. */
class LiveDocuments {
  #bits = new Uint32Array(1024);

  add(docs: Uint32Array): void {
    const words = ((docs.at(-1) ?? 0) >>> 5) + 1;
    if (words > this.#bits.length) {
      const grown = new Uint32Array(Math.max(words, this.#bits.length * 2));
      grown.set(this.#bits);
      this.#bits = grown;
    }
    for (const doc of docs) this.#bits[doc >>> 5]! |= 1 << (doc & 31);
  }

  #has(doc: number): boolean {
    return ((this.#bits[doc >>> 5] ?? 0) & (1 << (doc & 31))) !== 0;
  }

  /** The rows of a batch whose documents are in the set; the batch itself if all of them are. */
  *only(batch: RowBatch, dim: number): Generator<Change & { kind: 'rows' }, void, void> {
    const kept: number[] = [];
    for (const [index, doc] of batch.docs.entries()) if (this.#has(doc)) kept.push(index);
    if (kept.length === batch.docs.length) yield { kind: 'rows', ...batch, dim };
    else if (kept.length > 0) {
      const pick = (column: Uint32Array): Uint32Array => Uint32Array.from(kept, (index) => column[index]!);
      const vectors = new Float32Array(kept.length * dim);
      for (const [to, from] of kept.entries()) {
        vectors.set(batch.vectors.subarray(from * dim, (from + 1) * dim), to * dim);
      }
      yield {
        kind: 'rows',
        rows: pick(batch.rows),
        docs: pick(batch.docs),
        starts: pick(batch.starts),
        ends: pick(batch.ends),
        vectors,
        dim,
      };
    }
  }
}
