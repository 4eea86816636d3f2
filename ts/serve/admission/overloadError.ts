import { SeineError } from '../../core/errors.ts';

/** Work that was shed before it started: `ERR_OVERLOADED`. */
export class OverloadError extends SeineError {
  /** After so many milliseconds, a positive whole number, there is a fair chance that it would be taken. */
  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number) {
    super('ERR_OVERLOADED', message);
    this.retryAfterMs = retryAfterMs;
  }
}
