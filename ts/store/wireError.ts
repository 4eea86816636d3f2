import { type ErrorCode, SeineError } from '../core/errors.ts';
import type { WireError } from './protocol.ts';

/** What SQLite's primary result codes mean to a user; `[code, what happened, remedy]`. */
const MEANING: Record<number, [code: ErrorCode, what: string, remedy: string]> = {
  5: ['ERR_LOCKED', 'is locked by another process', 'try again when that process has finished'],
  6: ['ERR_LOCKED', 'is locked', 'try again later'],
  7: ['ERR_OUT_OF_MEMORY', 'needs more memory than there is', 'close other programs or write less at once'],
  8: ['ERR_DISK', 'cannot be written', 'make file and directory writable, or open it with readonly: true'],
  10: ['ERR_DISK', 'could not be read or written', 'look after disk and free space, then try again'],
  11: ['ERR_CORRUPT', 'is damaged', 'restore a backup or ingest the documents again'],
  13: ['ERR_DISK', 'cannot grow because the disk is full', 'free some space and try again'],
  14: ['ERR_DISK', 'cannot be opened', 'make file and directory accessible, or open it with readonly: true'],
  18: ['ERR_DATA', 'cannot take a value this large', 'split the document'],
  26: ['ERR_CORRUPT', 'is not an index, or is damaged', 'name another path or restore a backup'],
};

/** Input/output errors that mean that bytes are missing or wrong. */
const DAMAGED = new Set([522, 8458]);

/** What a file is to a user. */
export interface FileKind {
  noun: string;
  /** What to do by SQLite's primary result code, where that is not what one does with an index. */
  remedies: Partial<Record<number, string>>;
}

const INDEX: FileKind = { noun: 'index', remedies: {} };

/** Turns whatever was thrown while working on the file at `path` into a `SeineError`. */
export function asSeineError(error: unknown, path: string, kind = INDEX): SeineError {
  if (error instanceof SeineError) return error;
  const { errcode, code, message } = error as { errcode?: number; code?: string; message?: string };
  const explained = (primary: number): SeineError => explain(path, primary, error, kind);
  if (code === 'ENOSPC' || code === 'EDQUOT') return explained(13);
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') return explained(8);
  if (typeof errcode === 'number') return explained(DAMAGED.has(errcode) ? 11 : errcode & 0xff);
  return new SeineError('ERR_INTERNAL', `Work on ${path} failed: ${message ?? String(error)}.`, {
    cause: error,
  });
}

function explain(path: string, primary: number, cause: unknown, { noun, remedies }: FileKind): SeineError {
  const [code, what, usual] = MEANING[primary] ?? [
    'ERR_INTERNAL',
    `gave the unexpected SQLite error ${primary}`,
    'please report it',
  ];
  const detail = cause instanceof Error ? ` (${cause.message})` : '';
  return new SeineError(code, `The ${noun} ${path} ${what}${detail}: ${remedies[primary] ?? usual}.`, {
    cause,
  });
}

export function toWire(error: SeineError): WireError {
  const { cause } = error;
  return {
    code: error.code,
    message: error.message,
    cause: cause instanceof Error ? cause.message : undefined,
  };
}

export function fromWire(wire: WireError): SeineError {
  return new SeineError(wire.code, wire.message, wire.cause === undefined ? {} : { cause: wire.cause });
}
