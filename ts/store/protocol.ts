import type { ErrorCode } from '../core/errors.ts';
import type { AttributeType } from '../core/types.ts';
import type { ActivateResult, Bm25Hits, DeleteResult, StoreInfo, StoreModel, WriteResult } from './types.ts';

/** A document as it travels to the worker: attributes encoded, with their types. */
export interface PackedDocument {
  id: string;
  title: string;
  text: string;
  /** See `encodeAttributes`. */
  attributes: string;
  types: [name: string, type: AttributeType][];
}

/** Passages of several documents, one after the other. */
export interface PackedVectors {
  /** `[documents]`: passages of each. */
  counts: Uint32Array;
  /** `[passages]` */
  starts: Uint32Array;
  ends: Uint32Array;
  /** Length of every vector; 0 if there is none. */
  dim: number;
  /** `[passages, dim]` */
  data: Float32Array;
}

/** Documents of an upsert with their vectors. */
export interface PackedPart {
  documents: PackedDocument[];
  vectors: PackedVectors;
}

/** A stored document as it travels from the worker. */
export interface RawDocument {
  doc: number;
  id: string;
  title: string;
  text: string;
  attributes: string;
  live: boolean;
}

/** Rows as they travel from the worker: `[rows]` each, `vectors` `[rows, dim]`. */
export interface RowBatch {
  rows: Uint32Array;
  docs: Uint32Array;
  starts: Uint32Array;
  ends: Uint32Array;
  vectors: Float32Array;
}

/** A segment file as the database records it: it covers the rows with keys from `from` to `to`. */
export interface SegmentRecord {
  name: string;
  from: number;
  to: number;
  /** Rows in the file; without any there is no file. */
  count: number;
  /** Length of the file in bytes. */
  bytes: number;
  crc: number;
}

/** What a reader of changes needs to know first. */
export interface ChangesHead {
  generation: number;
  /** Everything must be read: differences since then cannot be told. */
  full: boolean;
  model: StoreModel | undefined;
  /** Key of the active model, 0 without one. */
  modelKey: number;
  lastRow: number;
  segments: SegmentRecord[];
}

/** Every request: its arguments and its result. */
export interface Calls {
  info: { args: undefined; result: StoreInfo };
  generation: { args: undefined; result: number };
  unchanged: { args: { documents: PackedDocument[] }; result: boolean[] };
  /** Keeps a part of a long upsert until its last part comes as `upsert`, with the same number. */
  stage: { args: { upload: number; part: PackedPart }; result: undefined };
  /** Forgets the parts of an upsert that will not come. */
  unstage: { args: { upload: number }; result: undefined };
  upsert: { args: { upload: number; parts: PackedPart[] }; result: WriteResult };
  delete: { args: { ids: string[] }; result: DeleteResult };
  get: { args: { id: string }; result: RawDocument | undefined };
  documents: { args: { docs: Uint32Array }; result: (RawDocument | undefined)[] };
  iterate: { args: { after: number; limit: number }; result: RawDocument[] };
  bm25: {
    args: { query: string; limit: number; mask: Uint32Array | undefined };
    result: Bm25Hits;
  };
  setModel: { args: { model: StoreModel }; result: undefined };
  beginModel: { args: { model: StoreModel }; result: undefined };
  missing: { args: { after: number; limit: number }; result: RawDocument[] };
  addVectors: { args: { docs: Uint32Array; vectors: PackedVectors }; result: number };
  activateModel: { args: undefined; result: ActivateResult };
  abandonModel: { args: undefined; result: boolean };
  purge: { args: { generation: number; limit: number }; result: number };
  backup: { args: { path: string }; result: undefined };
  changesHead: { args: { since: number }; result: ChangesHead };
  changesRemoved: {
    args: { since: number; generation: number; deleted: number; doc: number; limit: number };
    /** `undefined` if some of them have been purged meanwhile. */
    result: { docs: Uint32Array; deleted: number } | undefined;
  };
  changesDocuments: {
    args: { created: number; doc: number; generation: number; limit: number };
    /** Ids are divided by NUL, attributes are a JSON array of what is stored: many short strings would travel slowly. */
    result: { docs: Uint32Array; ids: string; attributes: string; created: number };
  };
  /** Rows of the active model by key, or those of given documents; `undefined` if the model is not active now. */
  changesRows: {
    args: { modelKey: number; dim: number } & ({ after: number; to: number } | { docs: Uint32Array });
    result: RowBatch | undefined;
  };
  /** Goes on with the checksum of a segment file; `undefined` as soon as it is seen to be missing or damaged. */
  segmentCheck: {
    args: { segment: SegmentRecord; dim: number; offset: number; crc: number };
    result: { offset: number; crc: number; done: boolean } | undefined;
  };
  segmentRows: {
    args: { segment: SegmentRecord; dim: number; first: number; count: number };
    result: RowBatch;
  };
  /** Forget a segment file, and make it anew if this process may write; with a reason, warn. */
  segmentDrop: { args: { name: string; reason: string | undefined }; result: undefined };
  close: { args: undefined; result: undefined };
}

export type CallName = keyof Calls;

export type Request = {
  [Name in CallName]: { call: number; name: Name; args: Calls[Name]['args'] };
}[CallName];

/** What the main thread sends. */
export type ToWorker = Request | { cancel: number };

export interface WireError {
  code: ErrorCode;
  message: string;
  cause?: string | undefined;
}

/** What the worker sends. `opened` comes once, first; `busy` tells whether work goes on behind the requests. */
export type FromWorker =
  | { opened: true }
  | { refused: WireError }
  | { call: number; result: unknown }
  | { call: number; error: WireError }
  | { busy: boolean }
  | { warning: string };

/** What the worker is started with. */
export interface WorkerSettings {
  path: string;
  readonly: boolean;
  segmentRows: number;
  /** See exitGate.ts. */
  gate: Int32Array<SharedArrayBuffer>;
}
