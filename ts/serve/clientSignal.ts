import type { FastifyReply } from 'fastify';
import { SeineError } from '../core/errors.ts';

const signals = new WeakMap<FastifyReply, AbortSignal>();

/**
 * Aborts with `ERR_INTERRUPTED` when the client goes before its answer is sent. Not Fastify's `request.signal`: that
 * one listens to the request's stream, which also closes when the body has been read to its end.
 */
export function clientSignal(reply: FastifyReply): AbortSignal {
  const known = signals.get(reply);
  if (known !== undefined) return known;
  const controller = new AbortController();
  signals.set(reply, controller.signal);
  const leave = (): void => controller.abort(new SeineError('ERR_INTERRUPTED', 'The client has gone.'));
  if (reply.raw.destroyed) leave();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) leave();
  });
  return controller.signal;
}
