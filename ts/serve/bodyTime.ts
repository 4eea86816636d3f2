import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { SeineError } from '../core/errors.ts';

/** Media type of bodies that are read as they come, which may take as long as they are long. */
export const STREAMED = 'application/x-ndjson';

export function tooSlow(): SeineError {
  return new SeineError(
    'ERR_TIMEOUT',
    'The request did not arrive in time: send it faster, or in smaller parts.',
  );
}

/**
 * Gives up requests whose body has not arrived within `ms`. Node's own limit knows of no exception, and a streamed body
 * must only go on arriving, which its reader sees to.
 */
export function limitBodyTime(app: FastifyInstance, ms: number): void {
  app.addHook('onRequest', async ({ raw, headers }, reply) => {
    const { 'content-length': length = '0', 'transfer-encoding': coding, 'content-type': type } = headers;
    if ((coding === undefined && Number(length) === 0) || type?.startsWith(STREAMED)) return;
    onceLate(raw, ms, () => {
      if (reply.sent) raw.destroy();
      else void reply.send(tooSlow());
    });
  });
}

/** Calls back after `ms` unless the body has arrived by then, or the connection is gone. */
export function onceLate(body: IncomingMessage, ms: number, callback: () => void): void {
  if (body.complete || body.destroyed) return;
  const timer = setTimeout(() => {
    if (!body.complete) callback();
  }, ms).unref();
  body.once('close', () => clearTimeout(timer));
}
