import { SeineError, show } from './core/errors.ts';
import type { Document } from './core/types.ts';
import type { Device } from './device/device.ts';
import type { CrossEncoder } from './models/crossEncoder.ts';
import type { EncodeProgress, Encoder } from './models/encoder.ts';
import type { Collection } from './online/retrieve/collection.ts';
import { embed } from './online/retrieve/embed.ts';
import { embedMissing, type ReembedResult } from './online/retrieve/embedMissing.ts';
import { StaleSnapshot } from './online/retrieve/retrieve.ts';
import { type Answer, search } from './search.ts';
import { planOf, type SearchIndexOptions } from './searchOptions.ts';
import type { Store } from './store/store.ts';
import type { DeleteResult, StoreInfo, StoreModel, WriteResult } from './store/types.ts';

export interface WriteOptions {
  signal?: AbortSignal | undefined;
  /** Called as texts are encoded. */
  onProgress?: ((done: EncodeProgress) => void) | undefined;
}

export interface UpsertResult extends WriteResult {
  /** Tokens that went through the embedder: unchanged documents cost none. */
  tokens: number;
  /** Vectors of which the text was cut to the embedder's length. */
  truncated: number;
}

/** What an index is made of; it closes all of it. */
export interface IndexParts {
  store: Store;
  device: Device;
  collection: Collection;
  encoder: Encoder;
  ranker: CrossEncoder | undefined;
  /** The embedder as the index records it. */
  model: StoreModel;
  readonly: boolean;
}

/**
 * An open index. Writes act in the order of their calls and are durable and visible to the next search when they
 * resolve; a search keeps the snapshot that it began with.
 */
export class SeineIndex {
  readonly #parts: IndexParts;
  #writes: Promise<unknown> = Promise.resolve();
  /** Searches under way, and the oldest generation that each may read. */
  readonly #searches = new Map<Promise<Answer[]>, number>();
  /** The embedder that a new one is about to replace. */
  #retiring: Encoder | undefined;
  #purged = 0;
  #closed: Promise<void> | undefined;

  /** Use `open`. */
  constructor(parts: IndexParts) {
    this.#parts = parts;
  }

  /** The best documents for a query. An empty query, like an empty index, has no hits. */
  async search(query: string, options: SearchIndexOptions = {}): Promise<Answer> {
    return (await this.searchMany([query], options))[0]!;
  }

  /** The same for several queries, which are encoded and scanned together and see one snapshot. */
  async searchMany(queries: string[], options: SearchIndexOptions = {}): Promise<Answer[]> {
    const plan = planOf(options);
    for (const query of queries) {
      if (typeof query !== 'string') {
        throw new SeineError('ERR_ARGUMENT', `The query must be a string, got ${show(query)}.`);
      }
    }
    plan.signal?.throwIfAborted();
    const { store, collection, ranker, readonly } = this.#open();
    const encoderOf = (model: StoreModel): Encoder => this.#encoderOf(model);
    while (true) {
      if (readonly) await collection.catchUp(); // another process may have written
      const attempt = search({ store, collection, encoderOf, ranker }, queries, plan);
      this.#searches.set(attempt, collection.mirror.generation);
      try {
        return await attempt;
      } catch (error) {
        if (!(error instanceof StaleSnapshot)) throw error;
      } finally {
        this.#searches.delete(attempt);
        this.#purge();
      }
    }
  }

  /**
   * Inserts documents, or replaces those with the same id; all of them or, if one is not valid, none. Those that are
   * stored with the same content already cost nothing.
   */
  async upsert(documents: Document[], options: WriteOptions = {}): Promise<UpsertResult> {
    if (!Array.isArray(documents)) {
      throw new SeineError('ERR_ARGUMENT', `documents must be an array, got ${show(documents)}.`);
    }
    const copies = documents.map((document) => ({ ...document }));
    return this.#write(async ({ store, encoder, model }) => {
      options.signal?.throwIfAborted();
      const unchanged = await store.unchanged(copies);
      const changed = copies.filter((_, i) => !unchanged[i]);
      const { passages, tokens, truncated } = await embed(changed, encoder, {
        ...options,
        passages: model.passages,
      });
      const encoded = changed.map((document, i) => ({ ...document, passages: passages[i]! }));
      await store.setModel(model);
      const result = await store.upsert(encoded);
      return { ...result, unchanged: result.unchanged + copies.length - changed.length, tokens, truncated };
    });
  }

  /** Deletes documents; ids that are not there are ignored. */
  async delete(ids: string[]): Promise<DeleteResult> {
    if (!Array.isArray(ids) || ids.some((id) => typeof id !== 'string')) {
      throw new SeineError('ERR_ARGUMENT', `ids must be an array of strings, got ${show(ids)}.`);
    }
    const copies = [...ids];
    return this.#write(({ store }) => store.delete(copies));
  }

  /**
   * Embeds the index anew under another model while the present one serves, then switches to it at once; the index
   * takes the embedder over. What an attempt that was interrupted had embedded is kept for the next one.
   */
  async reembed(encoder: Encoder, model: StoreModel, options: WriteOptions = {}): Promise<ReembedResult> {
    const { store } = this.#open();
    await this.#write(() => store.beginModel(model));
    const done = await embedMissing(store, encoder, model, options);
    await this.#write(async (parts) => {
      // Documents that were written meanwhile: none can come between this and the switch.
      const rest = await embedMissing(store, encoder, model, options);
      done.documents += rest.documents;
      done.tokens += rest.tokens;
      await store.activateModel();
      this.#retiring = parts.encoder;
      parts.encoder = encoder;
      parts.model = model;
    });
    await this.#retiring?.close();
    this.#retiring = undefined;
    return done;
  }

  /** The document with this id, if it is there. */
  async get(id: string): Promise<Document | undefined> {
    return this.#open().store.get(id);
  }

  /** All documents, oldest version first, read in slices. */
  documents(): AsyncGenerator<Document, void, void> {
    return this.#open().store.iterate();
  }

  async info(): Promise<StoreInfo & { device: string; ranker: string | undefined }> {
    const { store, device, ranker } = this.#open();
    return {
      ...(await store.info()),
      device: `${device.name} (${device.description})`,
      ranker: ranker?.name,
    };
  }

  /** Copies the index to another file while it is in use. */
  async backup(path: string): Promise<void> {
    return this.#open().store.backup(path);
  }

  /** Waits for what is under way, then closes everything. Calling it again is harmless. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const { store, device, collection, encoder, ranker } = this.#parts;
    await this.#writes;
    await Promise.allSettled(this.#searches.keys());
    await Promise.all([collection.close(), encoder.close(), ranker?.close()]);
    await Promise.all([device.close(), store.close()]);
  }

  #open(): IndexParts {
    if (this.#closed !== undefined) throw new SeineError('ERR_CLOSED', 'The index is closed: open it again.');
    return this.#parts;
  }

  /** Runs writes one after another, each visible when it resolves. */
  #write<T>(write: (parts: IndexParts) => Promise<T>): Promise<T> {
    const parts = this.#open();
    if (parts.readonly) {
      throw new SeineError(
        'ERR_ARGUMENT',
        'The index was opened read-only: open it without `readonly` to write.',
      );
    }
    const result = this.#writes.then(async () => {
      const value = await write(parts);
      await parts.collection.catchUp();
      this.#purge();
      return value;
    });
    this.#writes = result.catch(() => {});
    return result;
  }

  #encoderOf(model: StoreModel): Encoder {
    const { encoder } = this.#parts;
    if (encoder.hash === model.hash) return encoder;
    if (this.#retiring?.hash === model.hash) return this.#retiring;
    throw new SeineError(
      'ERR_MODEL_MISMATCH',
      `The index now holds vectors of ${model.name}, but ${encoder.name} was opened: close it and open it anew.`,
    );
  }

  /** Removes the content of deleted documents from the disk once no search under way can ask for it. */
  #purge(): void {
    const { store, collection, readonly } = this.#parts;
    if (readonly || this.#closed !== undefined) return;
    const oldest = Math.min(collection.mirror.generation, ...this.#searches.values());
    if (oldest <= this.#purged) return;
    this.#purged = oldest;
    // In the background: what is not purged now is purged after the next write.
    store.purge(oldest).catch(() => {
      this.#purged = 0;
    });
  }
}
