import type { IncomingMessage } from 'node:http';
import { SeineError } from '../../core/errors.ts';

/**
 * The bytes of a request as they are wanted: the client is held back while nobody reads. Errors: ERR_TOO_LARGE past
 * `maxBytes`, ERR_INTERRUPTED when the client leaves.
 */
export async function* bodyChunks(
  body: IncomingMessage,
  maxBytes: number | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0;
  try {
    // The connection outlives a reader that has had enough: it has an answer to bear.
    for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (maxBytes !== undefined && bytes > maxBytes) {
        throw new SeineError(
          'ERR_TOO_LARGE',
          `The body must have ${maxBytes} bytes at most for atomic=true: send it in parts, or leave atomic out.`,
        );
      }
      yield chunk;
    }
  } catch (error) {
    if (error instanceof SeineError) throw error;
    throw new SeineError('ERR_INTERRUPTED', 'The client left before its body was read.', { cause: error });
  }
}
