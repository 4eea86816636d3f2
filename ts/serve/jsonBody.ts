import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { SeineError } from '../core/errors.ts';
import type { BodyBudget } from './bodyBudget.ts';
import { readJson } from './readJson.ts';

/**
 * Parser of bodies that are JSON: within the limit of their route, and within what all bodies may take together. Errors:
 * ERR_TOO_LARGE, ERR_OVERLOADED, ERR_ARGUMENT (empty, or not JSON), ERR_INTERRUPTED (the client left).
 */
export function jsonBody(
  bodies: BodyBudget,
): (request: FastifyRequest, body: IncomingMessage) => Promise<unknown> {
  return async (request, body) => {
    const text = await readText(request, body, bodies);
    if (text === '') throw new SeineError('ERR_ARGUMENT', 'The body is empty: send JSON.');
    const read = readJson(text);
    if ('value' in read) return read.value;
    throw new SeineError('ERR_ARGUMENT', `The body ${read.error}.`);
  };
}

async function readText(request: FastifyRequest, body: IncomingMessage, bodies: BodyBudget): Promise<string> {
  const most = request.routeOptions.bodyLimit;
  if (Number(request.headers['content-length']) > most) throw tooLarge(most);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    // The connection outlives a body that is refused: it has an answer to bear.
    for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (bytes > most) throw tooLarge(most);
      bodies.hold(request, chunk.length);
      chunks.push(chunk);
    }
  } catch (error) {
    body.resume(); // what is left is thrown away as it comes, so that the client gets to reading its answer
    if (error instanceof SeineError) throw error;
    throw new SeineError('ERR_INTERRUPTED', 'The client left before its body was read.', { cause: error });
  }
  return Buffer.concat(chunks)
    .toString()
    .replace(/^\ufeff/, '');
}

const tooLarge = (most: number): SeineError =>
  new SeineError('ERR_TOO_LARGE', `The body must have ${most} bytes at most here: send less at a time.`);
