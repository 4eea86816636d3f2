import type { SeineError } from '../core/errors.ts';
import type { Precision } from '../graph/blockMatrix.ts';
import type { FeatureWeights } from './featureWeights.ts';
import type { Provider } from './session.ts';

export type { Precision };

/** Progress of one call: texts and tokens that are done. */
export interface EncodeProgress {
  texts: number;
  tokens: number;
}

export interface EncodeOptions {
  /** Chooses the prompt that the model puts before a text, if it has one. */
  kind: 'query' | 'document';
  /**
   * In batches of about 20 ms, between which calls that are not in the background go first: for work beside searches.
   * It takes longer.
   */
  background?: boolean | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((done: EncodeProgress) => void) | undefined;
}

export interface Encoded {
  /** `[texts, dim]`, in the caller's order. */
  vectors: Float32Array;
  /** Tokens that went through the model, special tokens included, padding not. */
  tokens: number;
  /** Texts that were longer than `maxTokens`. */
  truncated: number;
  /** Their indices, rising. */
  truncatedTexts: number[];
}

/** What a model reads of a text: its head. */
export interface TextReading {
  /** Tokens that the model reads, special tokens not counted, the model's prompt counted. */
  kept: number;
  /** Tokens behind those, which it does not read; no more than 16,384 are counted. */
  cut: number;
  /** The tokens that it reads come from the first `end` UTF-16 units: from all of them if nothing is cut. */
  end: number;
}

/** What a cross-encoder reads of a pair. */
export interface PairReading {
  query: TextReading;
  document: TextReading;
}

/** The heads of texts. */
export interface TextHeads {
  /** Each text up to its last token that is kept; the text itself if all are. */
  texts: string[];
  /** `[texts]`: tokens that are kept, special tokens not counted. */
  tokens: Uint32Array;
}

/** Half-open range of UTF-16 code units. */
export interface TextWindow {
  start: number;
  end: number;
}

export interface WindowOptions {
  /** Tokens of a window at most, special tokens included. */
  maxTokens: number;
  /** Tokens that neighbouring windows share, about. */
  overlap: number;
}

/** A bi-encoder in a worker thread: text to vector. */
export interface Encoder {
  readonly name: string;
  /** SHA-256 over all files that determine the vectors. */
  readonly hash: string;
  readonly dim: number;
  /**
   * Lengths at which the heads of its vectors are embeddings too (A. Kusupati et al.: Matryoshka Representation
   * Learning, NeurIPS 2022): those listed, any (true) or none (false), as its `config.json` says by
   * `matryoshka_dimensions` or `is_matryoshka`.
   */
  readonly matryoshka: number[] | boolean;
  readonly maxTokens: number;
  /** What a document's attributes add to the cosine, if its directory says so. */
  readonly features: FeatureWeights | undefined;
  /** Vectors do not depend on which texts share a call beyond 1e-5. Rejects with `signal.reason` when aborted. */
  encode(texts: string[], options: EncodeOptions): Promise<Encoded>;
  /** Cuts a long text at word borders into windows that overlap; none for a text without words. */
  windows(text: string, options: WindowOptions): Promise<TextWindow[]>;
  /** What `encode` reads of each text. */
  read(texts: string[], kind: EncodeOptions['kind']): Promise<TextReading[]>;
  /** Resolves if its thread has ended, so that it must be opened again; pending otherwise. */
  readonly failed: Promise<SeineError>;
  close(): Promise<void>;
}

export interface OpenModelOptions {
  provider?: Provider | undefined;
  /** Below or equal to what the model can take; its own default if left out. */
  maxTokens?: number | undefined;
  /** Threads of the model; the process's thread budget if left out. */
  threads?: number | undefined;
  /** Of a model's matrices, `'f32'` by default; others only for a model without an ONNX graph. */
  precision?: Precision | undefined;
  /** Whose logit a ranker's score is, for one that has several objectives: the first of them if left out. */
  objective?: string | undefined;
}

export interface ScoreOptions {
  /**
   * In batches of about 20 ms, between which calls that are not in the background go first: for work beside searches.
   * Scores are the same to 1e-5, of a language model to 1e-4.
   */
  background?: boolean | undefined;
  signal?: AbortSignal | undefined;
  /** On `performance.now()`'s clock, in milliseconds: work stops between chunks once it has passed. */
  deadline?: number | undefined;
}

export interface Scored {
  /** `[documents]`; only the first `scored` are filled, the others are 0. */
  scores: Float32Array;
  scored: number;
  /** `[documents]`: 1 where only the head of the document was read. */
  truncated: Uint8Array;
  /** Whether only the head of the query was read. */
  queryTruncated: boolean;
}

/**
 * A cross-encoder, or a language model in its place, in a worker thread: query and document together to a score, higher
 * is better.
 */
export interface CrossEncoder {
  readonly name: string;
  /** SHA-256 over all files that determine the scores. */
  readonly hash: string;
  readonly maxTokens: number;
  /** Weight of these scores when blended with the retrieval score, if the model's `seine.json` gives one. */
  readonly blend: number | undefined;
  /**
   * A document is a text or, for a language model, vectors `[tokens, hidden]` that stand where its tokens' embeddings
   * would: what a document was compressed to. They are taken whole. Errors: `ERR_ARGUMENT` for vectors that the model
   * does not take, of another width, or more than the query leaves room for.
   */
  score(query: string, documents: (string | Float32Array)[], options?: ScoreOptions): Promise<Scored>;
  /** What `score` reads of a pair. */
  read(query: string, document: string): Promise<PairReading>;
  /**
   * Cuts texts to `maxTokens` tokens, a positive whole number, or to what the model can read if that is less. With a
   * deadline, the heads of the first texts alone, as far as it let them be read.
   */
  heads(texts: string[], maxTokens: number, options?: ScoreOptions): Promise<TextHeads>;
  /** Resolves if its thread has ended, so that it must be opened again; pending otherwise. */
  readonly failed: Promise<SeineError>;
  close(): Promise<void>;
}
