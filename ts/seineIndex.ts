import { checkFeatures } from './checkFeatures.ts';
import { SeineError, show } from './core/errors.ts';
import type { Explanation } from './core/explanation.ts';
import type { Document } from './core/types.ts';
import { type EmbedTextsOptions, type EmbedTextsResult, embedTexts } from './embedTexts.ts';
import { explain } from './explain.ts';
import { type IndexInfo, type IndexModels, type IndexParts, modelsOf } from './indexParts.ts';
import type { Encoder } from './models/encoder.ts';
import type { ScoreCacheState } from './online/rank/scoreCache.ts';
import { embedMissing, type ReembedResult } from './online/retrieve/embedMissing.ts';
import { StaleSnapshot } from './online/retrieve/retrieve.ts';
import { Purger } from './purger.ts';
import { type RankDocument, type RankOptions, type RankResult, rankTexts } from './rankTexts.ts';
import { expectString } from './requestOptions.ts';
import { type Answer, type Engine, search } from './search.ts';
import { type ExplainOptions, explainPlanOf, planOf, type SearchIndexOptions } from './searchOptions.ts';
import { sameVectors } from './store/modelTable.ts';
import type { DeleteResult, StoreModel } from './store/types.ts';
import { type UpsertResult, upsert, type WriteOptions } from './upsert.ts';

/**
 * An open index. Writes act in the order of their calls and are durable and visible to the next search when they
 * resolve; a search keeps the snapshot that it began with.
 */
export class SeineIndex {
  /**
   * Resolves with the reason if a part of the index, such as the thread of a model, has ended by itself: from then on
   * what needs it fails, and the index must be closed and opened again. Pending otherwise.
   */
  readonly failed: Promise<SeineError>;
  #onFailed: (reason: SeineError) => void = () => {};
  readonly #parts: IndexParts;
  #writes: Promise<unknown> = Promise.resolve();
  readonly #reads = new Set<Promise<unknown>>();
  readonly #purger: Purger;
  #reembedding = false;
  /** The embedder that a new one is about to replace. */
  #retiring: Encoder | undefined;
  #closed: Promise<void> | undefined;

  /** Use `open`. */
  constructor(parts: IndexParts) {
    this.#parts = parts;
    this.failed = new Promise((resolve) => {
      this.#onFailed = resolve;
    });
    for (const part of [parts.store, parts.reader, parts.encoder, parts.ranker]) {
      void part?.failed.then(this.#onFailed);
    }
    this.#purger = new Purger(parts.store);
  }

  /**
   * The best documents for a query, of which the first 100,000 UTF-16 units count. An empty query, like an empty
   * index, has no hits.
   */
  async search(query: string, options: SearchIndexOptions = {}): Promise<Answer> {
    return (await this.searchMany([query], options))[0]!;
  }

  /** The same for several queries, which are encoded and scanned together and see one snapshot. */
  async searchMany(queries: string[], options: SearchIndexOptions = {}): Promise<Answer[]> {
    const plan = planOf(options);
    if (!Array.isArray(queries)) {
      throw new SeineError('ERR_ARGUMENT', `queries must be an array of strings, got ${show(queries)}.`);
    }
    for (const query of queries) expectString('The query', query);
    plan.signal?.throwIfAborted();
    const copies = [...queries];
    return this.#read(this.#seeing(this.#open(), (engine) => search(engine, copies, plan)));
  }

  /**
   * Why the document with this id stands where it does for a query, or why it is not found: scores and ranks of each
   * stage, clauses of the filter, what the models read. All numbers are those of a search with the same options.
   */
  async explain(query: string, id: string, options: ExplainOptions = {}): Promise<Explanation> {
    const plan = explainPlanOf(options);
    expectString('The query', query);
    expectString('The id', id);
    plan.signal?.throwIfAborted();
    return this.#read(this.#seeing(this.#open(), (engine) => explain(engine, query, id, plan)));
  }

  /** Looks at one snapshot of the index; anew if what it had bound went stale meanwhile. */
  async #seeing<T>(parts: IndexParts, look: (engine: Engine) => Promise<T>): Promise<T> {
    const { reader, collection, ranker, scoreCache, readonly } = parts;
    const encoderOf = (model: StoreModel): Encoder => this.#encoderOf(model);
    let behind = readonly; // another process may have written
    while (true) {
      if (behind) await collection.catchUp();
      const attempt = look({ store: reader, collection, encoderOf, ranker, scoreCache });
      try {
        return await this.#purger.keepFor(attempt, collection.mirror.generation);
      } catch (error) {
        if (!(error instanceof StaleSnapshot)) throw error;
        behind = true;
      }
    }
  }

  /**
   * The ranker's scores for texts that need not be in the index; of the query the first 100,000 UTF-16 units count.
   * Errors: ERR_ARGUMENT (the index was opened with the ranker 'none').
   */
  async rank(query: string, documents: RankDocument[], options: RankOptions = {}): Promise<RankResult> {
    return this.#read(rankTexts(query, documents, this.#open(), options));
  }

  /** Vectors of texts by the index's embedder, with its prompt for queries or documents. */
  async embed(
    texts: string[],
    kind: 'query' | 'document',
    options: EmbedTextsOptions = {},
  ): Promise<EmbedTextsResult> {
    return this.#read(embedTexts(texts, kind, this.#open().encoder, options));
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
    return this.#write((parts) => upsert(copies, parts, options));
  }

  /** Deletes documents, all at once; ids that are not there are ignored. */
  async delete(ids: string[], { signal }: Pick<WriteOptions, 'signal'> = {}): Promise<DeleteResult> {
    if (!Array.isArray(ids) || ids.some((id) => typeof id !== 'string')) {
      throw new SeineError('ERR_ARGUMENT', `ids must be an array of strings, got ${show(ids)}.`);
    }
    const copies = [...ids];
    return this.#write(({ store }) => {
      signal?.throwIfAborted();
      return store.delete(copies);
    });
  }

  /**
   * Embeds the index anew under another model while the present one serves, then switches to it at once; the index
   * takes the embedder over. What an attempt that was interrupted had embedded is kept for the next one under the
   * same model. Documents that are written meanwhile are not lost. Errors: ERR_ARGUMENT (one is under way).
   */
  async reembed(encoder: Encoder, model: StoreModel, options: WriteOptions = {}): Promise<ReembedResult> {
    if (this.#reembedding) {
      throw new SeineError('ERR_ARGUMENT', 'The index is being embedded anew already: wait for that to end.');
    }
    this.#reembedding = true;
    try {
      return await this.#reembed(encoder, model, options);
    } finally {
      this.#reembedding = false;
    }
  }

  async #reembed(encoder: Encoder, model: StoreModel, options: WriteOptions): Promise<ReembedResult> {
    const { store } = this.#open();
    await this.#write(async () => {
      const { building, attributes } = await store.info();
      checkFeatures(encoder.name, encoder.features, attributes);
      if (building !== undefined && !sameVectors(building, model)) await store.abandonModel();
      await store.beginModel(model);
    });
    const done = await embedMissing(store, encoder, model, options);
    await this.#write(async (parts) => {
      // Documents that were written meanwhile: none can come between this and the switch.
      const rest = await embedMissing(store, encoder, model, options);
      done.documents += rest.documents;
      done.tokens += rest.tokens;
      checkFeatures(encoder.name, encoder.features, (await store.info()).attributes); // as they are by now
      const { activated, missing } = await store.activateModel();
      if (!activated) {
        throw new SeineError('ERR_INTERNAL', `${missing} documents got no vectors: embed the index again.`);
      }
      this.#retiring = parts.encoder;
      parts.encoder = encoder;
      parts.collection.features = encoder.features;
      void encoder.failed.then(this.#onFailed);
      parts.model = model;
    });
    await this.#retiring?.close();
    this.#retiring = undefined;
    return done;
  }

  /** The document with this id, if it is there. */
  async get(id: string): Promise<Document | undefined> {
    return this.#open().reader.get(id);
  }

  /** All documents, oldest version first, read in slices. */
  documents(): AsyncGenerator<Document, void, void> {
    return this.#open().store.iterate();
  }

  async info(): Promise<IndexInfo> {
    return { ...(await this.#open().reader.info()), ...this.models() };
  }

  /** What is open, which nothing has to be read for. */
  models(): IndexModels {
    return modelsOf(this.#open());
  }

  /** What the cache of scores holds and how often that was of use; `undefined` without one. */
  cacheState(): ScoreCacheState | undefined {
    return this.#open().scoreCache?.state();
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
    const { store, reader, device, collection, encoder, ranker, scoreCache, readonly } = this.#parts;
    await this.#writes;
    await Promise.allSettled(this.#reads);
    this.#purger.stop();
    if (!readonly) await this.#purger.purge(collection.mirror.generation);
    await Promise.all([
      collection.close(),
      reader.close(),
      encoder.close(),
      this.#retiring?.close(),
      ranker?.close(),
      scoreCache?.close(),
    ]);
    await Promise.all([device.close(), store.close()]);
  }

  #open(): IndexParts {
    if (this.#closed !== undefined) throw new SeineError('ERR_CLOSED', 'The index is closed: open it again.');
    return this.#parts;
  }

  /** Closing waits for what reads. */
  async #read<T>(reading: Promise<T>): Promise<T> {
    this.#reads.add(reading);
    try {
      return await reading;
    } finally {
      this.#reads.delete(reading);
    }
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
      this.#purger.purgeLater(parts.collection.mirror.generation);
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
}
