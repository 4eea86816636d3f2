import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { SeineError } from '../core/errors.ts';
import type { Document } from '../core/types.ts';
import { expectArgument, expectInteger } from './arguments.ts';
import { ChangeReader } from './changeReader.ts';
import { buffersOf, packDocuments, packEncoded, packVectors, unpackDocument } from './packing.ts';
import { StoreClient } from './storeClient.ts';
import type {
  ActivateResult,
  Bm25Hits,
  Bm25Options,
  Change,
  DeleteResult,
  EncodedDocument,
  MapFile,
  Passage,
  StoredDocument,
  StoreInfo,
  StoreModel,
  StoreOptions,
  WriteResult,
} from './types.ts';

/** Rows that make a segment file worth writing, by default. */
const SEGMENT_ROWS = 50_000;
/** Documents that one slice of a long read or write carries. */
const PAGE = 500;

/**
 * The truth on disk: documents, typed attributes, vectors and a full-text index in one SQLite file. All work is done
 * by a worker thread. Writes that wait together are committed together; a write that was acknowledged survives the
 * death of the process. Any number of processes may read while one writes.
 *
 * Every method throws ERR_CLOSED after `close`, ERR_DISK if the disk is full or not writable (nothing that was
 * acknowledged is lost, and the store goes on working once there is space) and ERR_CORRUPT if the file is damaged.
 */
export class Store {
  readonly path: string;
  /** Resolves if its worker has ended, so that it must be opened again; pending otherwise. */
  readonly failed: Promise<SeineError>;
  readonly #client: StoreClient;
  readonly #mapFile: MapFile | undefined;
  #uploads = 0;

  private constructor(path: string, client: StoreClient, mapFile: MapFile | undefined) {
    this.path = path;
    this.#client = client;
    this.failed = client.failed;
    this.#mapFile = mapFile;
  }

  /**
   * Opens the index at `path`; makes it if it is not there, unless `readonly`.
   * Errors: ERR_LOCKED (another writer), ERR_VERSION (written by a newer version), ERR_CORRUPT (damaged, or not an
   * index), ERR_NOT_FOUND (read-only and not there, or no such directory), ERR_DISK (not writable).
   */
  static async open(path: string, options: StoreOptions = {}): Promise<Store> {
    expectArgument(typeof path === 'string' && path !== '', 'path', 'a path', path);
    const { readonly = false, segmentRows = SEGMENT_ROWS, onWarning = warn } = options;
    expectInteger(segmentRows, 'segmentRows', 1);
    // One file has one lock, by whatever name it is opened.
    const file = await realpath(path).catch(() => resolve(path));
    const client = await StoreClient.open({ path: file, readonly, segmentRows }, onWarning);
    return new Store(file, client, options.mapFile);
  }

  info(): Promise<StoreInfo> {
    return this.#client.call('info', undefined);
  }

  /** The generation that is committed now: cheap, to see whether a copy must catch up. */
  generation(): Promise<number> {
    return this.#client.call('generation', undefined);
  }

  /** For each document: is it stored with the same content, and with vectors of the active model? */
  async unchanged(documents: Document[]): Promise<boolean[]> {
    expectArgument(Array.isArray(documents), 'documents', 'an array of documents', documents);
    const unchanged: boolean[] = [];
    for (const page of pagesOf(documents)) {
      unchanged.push(...(await this.#client.call('unchanged', { documents: packDocuments(page) })));
      if (unchanged.length < documents.length) await setImmediate();
    }
    return unchanged;
  }

  /**
   * Inserts documents, or replaces those with the same id; all of them or, if one is not valid, none.
   * Of several with one id, the last counts. Errors: ERR_DATA (id, title, text or attributes are not valid),
   * ERR_ATTRIBUTE_TYPE, ERR_DIMENSION, ERR_NOT_FINITE, ERR_ARGUMENT (readonly; vectors without a model, or none).
   */
  async upsert(documents: EncodedDocument[]): Promise<WriteResult> {
    expectArgument(Array.isArray(documents), 'documents', 'an array of documents', documents);
    const upload = ++this.#uploads;
    const pages = [...pagesOf(documents)];
    const last = pages.pop() ?? [];
    try {
      for (const page of pages) {
        const part = packEncoded(page);
        await this.#client.call('stage', { upload, part }, buffersOf(part.vectors));
        await setImmediate();
      }
      const part = packEncoded(last);
      return await this.#client.call('upsert', { upload, parts: [part] }, buffersOf(part.vectors));
    } catch (error) {
      if (pages.length > 0) this.#client.call('unstage', { upload }).catch(() => {}); // with the worker it is gone
      throw error;
    }
  }

  /** Deletes documents; ids that are not there are ignored. */
  async delete(ids: string[]): Promise<DeleteResult> {
    const strings = Array.isArray(ids) && ids.every((id) => typeof id === 'string');
    expectArgument(strings, 'ids', 'an array of strings', ids);
    return this.#client.call('delete', { ids });
  }

  async get(id: string): Promise<StoredDocument | undefined> {
    expectArgument(typeof id === 'string', 'id', 'a string', id);
    const raw = await this.#client.call('get', { id });
    return raw && unpackDocument(raw);
  }

  /** Documents by key, in the order asked, also deleted ones; `undefined` for those never there or purged. */
  async documents(docs: Uint32Array | readonly number[]): Promise<(StoredDocument | undefined)[]> {
    const raws = await this.#client.call('documents', { docs: Uint32Array.from(docs) });
    return raws.map((raw) => raw && unpackDocument(raw));
  }

  /** Live documents by rising key, read in slices: writes in between may show. */
  iterate(): AsyncGenerator<StoredDocument, void, void> {
    return this.#pages('iterate');
  }

  /**
   * Full-text search over title and text by BM25 (k1 1.2, b 0.75): documents with any word of the query, restricted
   * by the mask before the limit applies. Nothing in the query is syntax; without a word there are no hits; only the
   * first 1,000 distinct words count.
   */
  async bm25(query: string, options: Bm25Options): Promise<Bm25Hits> {
    expectArgument(typeof query === 'string', 'query', 'a string', query);
    expectInteger(options.limit, 'limit', 1);
    const { limit, mask, signal } = options;
    return this.#client.call('bm25', { query, limit, mask }, [], signal);
  }

  /**
   * What has changed since generation `since`, or everything for 0: see `Change`. Read in slices, yet it tells one
   * consistent state, that of the generation which it ends with.
   */
  changes(since: number): AsyncGenerator<Change, void, void> {
    expectInteger(since, 'since', 0);
    return new ChangeReader(this.#client, this.path, this.#mapFile).read(since);
  }

  /**
   * Says which model the vectors come from; needed once, before the first upsert with vectors. The same model again
   * is welcome. Errors: ERR_MODEL_MISMATCH if the index has another one.
   */
  setModel(model: StoreModel): Promise<void> {
    return this.#client.call('setModel', { model });
  }

  /** Starts, or resumes, to embed the index under another model, while the active one serves. */
  beginModel(model: StoreModel): Promise<void> {
    return this.#client.call('beginModel', { model });
  }

  /** Live documents without vectors of the model that is being built, also those that are added meanwhile. */
  missing(): AsyncGenerator<StoredDocument, void, void> {
    return this.#pages('missing');
  }

  async *#pages(name: 'iterate' | 'missing'): AsyncGenerator<StoredDocument, void, void> {
    let after = 0;
    while (true) {
      const page = await this.#client.call(name, { after, limit: PAGE });
      for (const raw of page) yield unpackDocument(raw);
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.doc;
    }
  }

  /** Adds vectors of the model that is being built; returns for how many documents (live, and without any yet). */
  async addVectors(entries: { doc: number; passages: Passage[] }[]): Promise<number> {
    const vectors = packVectors(entries.map((entry) => entry.passages));
    const docs = Uint32Array.from(entries, (entry) => entry.doc);
    return this.#client.call('addVectors', { docs, vectors }, buffersOf(vectors));
  }

  /** Puts the model that was built in the place of the active one, at once, if no live document lacks its vectors. */
  activateModel(): Promise<ActivateResult> {
    return this.#client.call('activateModel', undefined);
  }

  /** Drops the model that is being built; returns false if there is none. */
  abandonModel(): Promise<boolean> {
    return this.#client.call('abandonModel', undefined);
  }

  /**
   * Copies the index, as it is now, to another file while it is in use; an index there that nobody uses is replaced.
   * Errors: ERR_ARGUMENT (the same file, or one in use), ERR_NOT_FOUND (no such directory), ERR_DISK.
   */
  async backup(path: string): Promise<void> {
    expectArgument(typeof path === 'string' && path !== '', 'path', 'a path', path);
    return this.#client.call('backup', { path });
  }

  /**
   * Removes the content of documents that were deleted or replaced at `generation` or before; returns how many.
   * A copy that is older starts anew with a `reset`.
   */
  async purge(generation: number): Promise<number> {
    expectInteger(generation, 'generation', 0);
    let purged = 0;
    while (true) {
      const count = await this.#client.call('purge', { generation, limit: PAGE });
      purged += count;
      if (count < PAGE) return purged;
    }
  }

  /** Waits for what was asked before, then closes. Calling it again is harmless. */
  close(): Promise<void> {
    return this.#client.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** In slices, between which the event loop does other things; none for no documents. */
function* pagesOf<T>(documents: readonly T[]): Generator<T[], void, void> {
  for (let start = 0; start < documents.length; start += PAGE) yield documents.slice(start, start + PAGE);
}

function warn(message: string): void {
  process.emitWarning(message, 'SeineWarning');
}
