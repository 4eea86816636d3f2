import { SeineError } from '../core/errors.ts';
import type { Service } from './service.ts';

/** Throws ERR_CLOSED with the reason if the server takes no requests, or could not serve them. */
export function checkReady({ draining, failure }: Service): void {
  if (failure !== undefined) {
    throw new SeineError(
      'ERR_CLOSED',
      `The server must be started again, as a part of it failed: ${failure.message}`,
      {
        cause: failure,
      },
    );
  }
  if (draining) throw new SeineError('ERR_CLOSED', 'The server is shutting down.');
}
