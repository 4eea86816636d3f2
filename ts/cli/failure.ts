import { inspect } from 'node:util';
import { ERRORS, SeineError } from '../core/errors.ts';

/** How a command ends that threw `error`: its exit status, and what it says on standard error. */
export function failure(error: unknown): { exit: number; text: string } {
  const detail = process.env.SEINE_DEBUG === '1' ? `${inspect(error)}\n` : '';
  if (error instanceof SeineError) {
    return { exit: error.exit, text: `seine: ${error.message} [${error.code}]\n${detail}` };
  }
  const message = error instanceof Error ? error.message : String(error);
  const hint = detail === '' ? ' SEINE_DEBUG=1 shows where.' : '';
  return {
    exit: ERRORS.ERR_INTERNAL.exit,
    text: `seine: Unforeseen failure: ${message}.${hint} [ERR_INTERNAL]\n${detail}`,
  };
}
