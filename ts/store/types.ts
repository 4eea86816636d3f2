import type { Attributes, AttributeType, Document } from '../core/types.ts';

/** The model whose vectors an index holds. */
export interface StoreModel {
  /** Name or path, for people. */
  name: string;
  /** Content hash of the model's files: vectors of two models with one hash may be compared. */
  hash: string;
  /** Length of a vector. */
  dim: number;
  /** Tokens after which a text, or a passage of it, was cut. */
  maxTokens: number;
  /** Overlapping passages (true), or one vector of the head of each document (false). */
  passages: boolean;
}

export interface StoreInfo {
  path: string;
  schemaVersion: number;
  /** Rises by one with every committed group of writes that changed something. */
  generation: number;
  /** Live documents. */
  documents: number;
  /** Vectors of the active model that belong to live documents. */
  rows: number;
  /** The model that serves, if one was set. */
  model?: StoreModel;
  /** The model under which the index is being embedded anew, if any. */
  building?: StoreModel;
  /** Type of every attribute, fixed by its first value that is not null. */
  attributes: Record<string, AttributeType>;
}

/** A stretch of a document's text and its vector. */
export interface Passage {
  /** Half-open range of UTF-16 code units in `text`. */
  start: number;
  end: number;
  /** `[dim]`: finite. Copied during the call. */
  vector: Float32Array;
}

/** A document with the vectors of its passages: at least one if the index has a model, none otherwise. */
export interface EncodedDocument extends Document {
  passages: Passage[];
}

/** One version of a document. An update makes a new version under a new key. */
export interface StoredDocument extends Document {
  /** Key of this version: rises with every insert, never used again. */
  doc: number;
  /** Empty if it has none. */
  title: string;
  attributes: Attributes;
  /** False once it was deleted or updated; its content stays until it is purged. */
  live: boolean;
}

export interface WriteResult {
  /** Generation after this write. */
  generation: number;
  inserted: number;
  updated: number;
  /** Documents that were already stored with the same content and vectors. */
  unchanged: number;
}

export interface DeleteResult {
  generation: number;
  /** Documents that were there and are deleted now. */
  deleted: number;
}

export interface ActivateResult {
  generation: number;
  /** False if live documents still lack vectors of the new model: nothing was changed then. */
  activated: boolean;
  /** Live documents without vectors of the new model. */
  missing: number;
}

export interface Bm25Options {
  /** Hits wanted: a positive integer. */
  limit: number;
  /** Bit `doc` (word `doc >> 5`, bit `doc & 31`) says that a document may pass; keys past its end may not. */
  mask?: Uint32Array | undefined;
  signal?: AbortSignal | undefined;
}

/** Best first; equal scores by rising document key. */
export interface Bm25Hits {
  /** `[hits]`: document keys. */
  docs: Uint32Array;
  /** `[hits]`: higher is better. */
  scores: Float64Array;
  /** Generation that the search saw. */
  generation: number;
  /** That of the last deletion or replacement before it: the words of such documents are gone. */
  lastRemoval: number;
}

/**
 * What a copy in memory must do to follow the store. In order: perhaps `reset`; `removed`; `documents`, each before
 * its rows; `rows`; and one `end`. A whole load, and a catch-up that cannot be told as differences (another model
 * was activated, or what was deleted since has been purged), starts with `reset`. A reset may also come again in
 * the middle, if one of these happens while the changes are read. Keys of documents and rows rise within each kind.
 */
export type Change =
  /** Forget everything: the whole live state follows, with vectors of `model`. */
  | { kind: 'reset'; model: StoreModel | undefined }
  /** Documents that are no longer live. Keys that the copy does not know may be among them. */
  | { kind: 'removed'; docs: Uint32Array }
  /** Documents that are live now. */
  | { kind: 'documents'; docs: Uint32Array; ids: string[]; attributes: Attributes[] }
  /** Vectors of live documents, `[rows.length, dim]`. They may be a view of a mapped file: read only. */
  | {
      kind: 'rows';
      rows: Uint32Array;
      docs: Uint32Array;
      starts: Uint32Array;
      ends: Uint32Array;
      vectors: Float32Array;
      dim: number;
    }
  /** The copy is now as the store was at `generation`. */
  | { kind: 'end'; generation: number };

/** Maps bytes of a file into memory, read-only. */
export type MapFile = (path: string, offset: number, length: number) => ArrayBuffer;

export interface StoreOptions {
  /** Opens beside a writer, or without one; the file must be there. */
  readonly?: boolean | undefined;
  /** How segment files are read; without it they are read in slices. */
  mapFile?: MapFile | undefined;
  /** Called with one line when a derived copy is damaged and is rebuilt; `process.emitWarning` by default. */
  onWarning?: ((message: string) => void) | undefined;
  /** Rows that make a segment file worth writing, 50,000 by default. */
  segmentRows?: number | undefined;
}
