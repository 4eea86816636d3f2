import type { FastifyReply, FastifyRequest } from 'fastify';
import { ERRORS } from '../core/errors.ts';
import { onAnswerEnd } from './answerEnd.ts';
import type { Service } from './service.ts';

/** Route of what no route answers. */
const NO_ROUTE = '(none)';

/**
 * Counts a request and, when its answer has ended, writes its access line and lets go of what is held for it. Neither
 * the lines nor the metrics bear anything of what was asked.
 */
export function followRequest(
  { metrics, answers, bodies }: Service,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const began = performance.now();
  const end = metrics.request();
  answers.add(reply);
  request.log.debug({ path: request.url.split('?')[0] }, 'request begins');
  onAnswerEnd(reply, (sent) => {
    answers.delete(reply);
    bodies.release(request);
    const { method } = request;
    const route = request.routeOptions.url ?? NO_ROUTE;
    const status = sent ? reply.raw.statusCode : ERRORS.ERR_INTERRUPTED.status;
    const ms = performance.now() - began;
    end(method, route, status, ms);
    const { workload, apiKey, failure } = request;
    const line = {
      method,
      route,
      status,
      ms: Math.round(ms * 10) / 10,
      workload,
      key: apiKey?.name,
      failure,
    };
    request.log.info(line, 'request');
  });
}
