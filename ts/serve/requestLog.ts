import { finished } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ERRORS } from '../core/errors.ts';
import type { Service } from './service.ts';

/** Route of what no route answers. */
const NO_ROUTE = '(none)';

/**
 * Counts a request and, when its answer has ended, writes its access line. Neither the line nor the metrics bear
 * anything of what was asked.
 */
export function followRequest(
  { metrics, answers }: Service,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const began = performance.now();
  const end = metrics.request();
  answers.add(reply);
  request.log.debug({ url: request.url }, 'request begins');
  finished(reply.raw, () => {
    answers.delete(reply);
    const { method } = request;
    const route = request.routeOptions.url ?? NO_ROUTE;
    const status = reply.raw.writableFinished ? reply.raw.statusCode : ERRORS.ERR_INTERRUPTED.status;
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
