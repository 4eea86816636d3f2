import type { WireError } from './protocol.ts';
import type { ScoreEntry, ScoreKind, ScoreTierState } from './scoreEntry.ts';

export type KeyedEntry = [key: string, entry: ScoreEntry];

/** A file's state by kind. */
export type TierState = Record<ScoreKind, ScoreTierState>;

export interface ScoreWorkerSettings {
  path: string;
  bytes: number;
  gate: Int32Array<SharedArrayBuffer>;
}

/** What the main thread asks of the worker that holds the file. */
export type ToScoreWorker =
  | { call: number; get: string[]; kind: ScoreKind }
  | { call: number; put: Record<ScoreKind, KeyedEntry[]> }
  | { close: true };

export type FromScoreWorker =
  | { opened: TierState }
  | { refused: WireError }
  | { warning: string }
  | { call: number; found: KeyedEntry[]; state: TierState }
  | { call: number; error: WireError };
