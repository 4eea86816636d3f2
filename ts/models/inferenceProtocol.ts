import type { ErrorCode } from '../core/errors.ts';
import type {
  Encoded,
  EncodeProgress,
  OpenModelOptions,
  PairReading,
  Scored,
  TextHeads,
  TextReading,
  TextWindow,
  WindowOptions,
} from './contracts.ts';
import type { ModelFiles } from './resolveModel.ts';

/** Messages between a model's thread and the thread that asks it. */

export interface OpenRequest {
  files: ModelFiles;
  options: OpenModelOptions;
  /** Of `nativeCalls.ts`. */
  calls: Int32Array;
}

export interface ReadArguments {
  texts: string[];
  kind: 'query' | 'document';
}

export interface EncodeArguments extends ReadArguments {
  background: boolean;
}

export type WindowArguments = { text: string } & WindowOptions;

export interface ScoreArguments {
  query: string;
  documents: (string | Float32Array)[];
  background: boolean;
  /** Milliseconds since 1970, for threads have clocks of different origin. */
  deadline: number | undefined;
}

export interface PairArguments {
  query: string;
  document: string;
}

export interface HeadArguments {
  texts: string[];
  maxTokens: number;
  /** As in `ScoreArguments`. */
  deadline: number | undefined;
}

export type Request =
  | { encode: EncodeArguments }
  | { windows: WindowArguments }
  | { read: ReadArguments }
  | { score: ScoreArguments }
  | { readPair: PairArguments }
  | { heads: HeadArguments };

/** `flag[0]` becomes 1 when the caller has lost interest. */
export type ToWorker = { id: number; flag: Int32Array; request: Request } | { close: true };

export interface Failure {
  code: ErrorCode;
  message: string;
}

export type FromWorker =
  | { opened: EmbedderInfo | PairScorerInfo }
  | { failed: Failure }
  | { id: number; progress: EncodeProgress }
  | { id: number; result: Encoded | TextWindow[] | TextReading[] | Scored | PairReading | TextHeads }
  | { id: number; error: Failure };

export interface EmbedderInfo {
  dim: number;
  matryoshka: number[] | boolean;
  maxTokens: number;
}

export interface PairScorerInfo {
  maxTokens: number;
  blend: number | undefined;
}

/** What a call in the worker knows of its caller. */
export interface CallContext {
  aborted(): boolean;
  progress(done: EncodeProgress): void;
}
