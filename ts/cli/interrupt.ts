import { setMaxListeners } from 'node:events';
import { ERRORS, SeineError } from '../core/errors.ts';

/**
 * A signal that aborts with `ERR_INTERRUPTED` at the first Ctrl-C (or SIGTERM), so that a command can end in order;
 * the second one ends the process at once.
 */
export function interruptSignal(): AbortSignal {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal); // every query and batch under way listens
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(ERRORS.ERR_INTERRUPTED.exit);
    controller.abort(new SeineError('ERR_INTERRUPTED', 'Interrupted.'));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller.signal;
}
