import { SeineError, show } from './core/errors.ts';
import type { Searcher } from './core/types.ts';
import { understand } from './online/understand/understand.ts';

/** Options of what ranks for someone. */
export interface RequestOptions {
  /**
   * Ranks for this searcher: the ranker reads the profile, of which the first 100,000 UTF-16 units count, after the
   * query. Raise the version when anything changes that the profile was made from.
   */
  searcher?: Searcher | undefined;
  /** Milliseconds after which ranking stops; documents that it did not reach stay without a score of the ranker. */
  deadlineMs?: number | undefined;
  /** Rejects the call with `signal.reason`. */
  signal?: AbortSignal | undefined;
}

export interface CheckedRequest {
  searcher: Searcher | undefined;
  /** On `performance.now()`'s clock. */
  deadline: number | undefined;
  signal: AbortSignal | undefined;
}

const FIELDS = ['id', 'version', 'profile'] as const;

/** Checks these options, and that `options` has none but those in `names`; ERR_ARGUMENT names what is wrong. */
export function checkRequest(options: RequestOptions, names: readonly string[]): CheckedRequest {
  if (typeof options !== 'object' || options === null) {
    throw new SeineError('ERR_ARGUMENT', `The options must be an object, got ${show(options)}.`);
  }
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `There is no option ${show(unknown)}; there are: ${names.join(', ')}.`,
    );
  }
  const { searcher, deadlineMs, signal } = options;
  if (deadlineMs !== undefined && !(typeof deadlineMs === 'number' && deadlineMs >= 0)) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `deadlineMs must be a number of 0 or more, got ${show(deadlineMs)}.`,
    );
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new SeineError('ERR_ARGUMENT', `signal must be an AbortSignal, got ${show(signal)}.`);
  }
  return {
    searcher: searcher === undefined ? undefined : checkSearcher(searcher),
    deadline: deadlineMs === undefined ? undefined : performance.now() + deadlineMs,
    signal,
  };
}

function checkSearcher(searcher: Searcher): Searcher {
  if (typeof searcher !== 'object' || searcher === null) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `searcher must be an object with ${FIELDS.join(', ')}, got ${show(searcher)}.`,
    );
  }
  const unknown = Object.keys(searcher).find((name) => !(FIELDS as readonly string[]).includes(name));
  if (unknown !== undefined) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `searcher has no field ${show(unknown)}; there are: ${FIELDS.join(', ')}.`,
    );
  }
  for (const field of FIELDS) {
    if (typeof searcher[field] !== 'string') {
      throw new SeineError(
        'ERR_ARGUMENT',
        `searcher.${field} must be a string, got ${show(searcher[field])}.`,
      );
    }
  }
  const { id, version, profile } = searcher;
  return { id, version, profile: understand(profile).text };
}

/** ERR_ARGUMENT unless it is a string. */
export function expectString(name: string, value: unknown): void {
  if (typeof value !== 'string') {
    throw new SeineError('ERR_ARGUMENT', `${name} must be a string, got ${show(value)}.`);
  }
}
