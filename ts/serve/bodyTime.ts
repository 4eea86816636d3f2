import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SeineError } from '../core/errors.ts';

/** Media type of bodies that are read as they come, which may take as long as they are long. */
export const STREAMED = 'application/x-ndjson';

/** How to call off the limit of a body that is on its way. */
const limits = new WeakMap<IncomingMessage, () => void>();

export function tooSlow(): SeineError {
  return new SeineError(
    'ERR_TIMEOUT',
    'The request did not arrive in time: send it faster, or in smaller parts.',
  );
}

/**
 * Gives up a request whose body has not arrived within `ms`, whatever it is answered, unless `endBodyTime` is called.
 * Node's own limit knows of no exception.
 */
export function limitBodyTime({ raw, headers }: FastifyRequest, reply: FastifyReply, ms: number): void {
  const { 'content-length': length = '0', 'transfer-encoding': coding } = headers;
  if (coding === undefined && Number(length) === 0) return;
  const callOff = onceLate(raw, ms, () => {
    if (reply.sent) raw.destroy();
    else void reply.send(tooSlow());
  });
  limits.set(raw, callOff);
}

/** From here on the body must only go on arriving, which its reader sees to. */
export function endBodyTime(body: IncomingMessage): void {
  limits.get(body)?.();
}

/** Calls back after `ms` unless the body has arrived by then, the connection is gone, or it is called off. */
export function onceLate(body: IncomingMessage, ms: number, callback: () => void): () => void {
  if (body.complete || body.destroyed) return () => {};
  const timer = setTimeout(() => {
    if (!body.complete) callback();
  }, ms).unref();
  const callOff = (): void => clearTimeout(timer);
  body.once('close', callOff);
  return callOff;
}
