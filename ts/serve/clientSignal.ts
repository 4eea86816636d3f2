import type { FastifyReply } from 'fastify';
import { SeineError } from '../core/errors.ts';
import { onAnswerEnd } from './answerEnd.ts';

const controllers = new WeakMap<FastifyReply, AbortController>();

function controllerOf(reply: FastifyReply): AbortController {
  const known = controllers.get(reply);
  if (known !== undefined) return known;
  const controller = new AbortController();
  controllers.set(reply, controller);
  onAnswerEnd(reply, (sent) => {
    if (!sent) controller.abort(new SeineError('ERR_INTERRUPTED', 'The client has gone.'));
  });
  return controller;
}

/**
 * Aborts with `ERR_INTERRUPTED` when the client goes before its answer is sent, or by `cancelWork`. Not Fastify's
 * `request.signal`: that one listens to the request's stream, which also closes when the body has been read to its end.
 */
export function clientSignal(reply: FastifyReply): AbortSignal {
  return controllerOf(reply).signal;
}

/** Aborts what is done for this answer. */
export function cancelWork(reply: FastifyReply, reason: SeineError): void {
  controllerOf(reply).abort(reason);
}
