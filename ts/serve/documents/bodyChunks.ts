import type { IncomingMessage } from 'node:http';
import { SeineError } from '../../core/errors.ts';
import { endBodyTime, onceLate, tooSlow } from '../bodyTime.ts';

export interface BodyLimits {
  /** Milliseconds in which the next bytes must come, while they are waited for. */
  idleMs: number;
  maxBytes?: number | undefined;
  /** Told of bytes that stay in memory; refuses them by throwing. */
  hold?: ((bytes: number) => void) | undefined;
  /** Ends the waiting with its reason. */
  signal: AbortSignal;
}

/**
 * The bytes of a request as they are wanted: the client is held back while nobody reads. Errors: ERR_TOO_LARGE past
 * `maxBytes`, ERR_TIMEOUT, ERR_INTERRUPTED when the client leaves.
 */
export async function* bodyChunks(
  body: IncomingMessage,
  { idleMs, maxBytes, hold, signal }: BodyLimits,
): AsyncGenerator<Uint8Array, void, undefined> {
  endBodyTime(body);
  // The connection outlives a reader that has had enough: it has an answer to bear.
  const chunks = body.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Uint8Array>;
  let bytes = 0;
  try {
    while (true) {
      const { value, done } = await inTime(chunks.next(), idleMs, signal);
      if (done) return;
      bytes += value.length;
      if (maxBytes !== undefined && bytes > maxBytes) {
        throw new SeineError(
          'ERR_TOO_LARGE',
          `The body must have ${maxBytes} bytes at most for atomic=true: send it in parts, or leave atomic out.`,
        );
      }
      hold?.(value.length);
      yield value;
    }
  } catch (error) {
    if (error instanceof SeineError) throw error;
    throw new SeineError('ERR_INTERRUPTED', 'The client left before its body was read.', { cause: error });
  } finally {
    // What is left is thrown away as it comes, so that the client gets to reading its answer; not for ever.
    void chunks.return?.().then(() => body.resume());
    onceLate(body, idleMs, () => body.destroy());
  }
}

async function inTime<T>(wanted: Promise<T>, ms: number, signal: AbortSignal): Promise<T> {
  wanted.catch(() => {}); // if it fails after it was given up, nobody hears of it
  signal.throwIfAborted();
  let timer: NodeJS.Timeout | undefined;
  let onAbort = (): void => {};
  const given = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooSlow()), ms);
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([wanted, given]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
