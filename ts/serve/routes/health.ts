import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { checkReady } from '../checkReady.ts';
import { failures } from '../schemas.ts';
import type { Service } from '../service.ts';

const Status = Type.Object({ status: Type.String() });

/** `GET /healthz`, `GET /readyz` and `GET /metrics`. */
export const healthRoutes: FastifyPluginAsyncTypebox<{ service: Service }> = async (app, { service }) => {
  const tags = ['service'];
  const config = { access: 'open', anyHost: true } as const;

  app.get(
    '/healthz',
    {
      config,
      schema: {
        tags,
        summary: 'Whether the process is alive',
        response: { 200: Status },
      },
    },
    () => ({ status: 'alive' }),
  );

  app.get(
    '/readyz',
    {
      config,
      schema: {
        tags,
        summary: 'Whether requests are taken',
        description:
          '503 from the moment that the server has been told to stop, or that a part of it has failed for good.',
        response: { 200: Status, 503: failures['5xx'] },
      },
    },
    () => {
      checkReady(service);
      return { status: 'ready' };
    },
  );

  app.get(
    '/metrics',
    {
      schema: {
        tags,
        summary: 'Metrics for Prometheus',
        produces: ['text/plain'],
        response: { 200: Type.String() },
      },
    },
    async (_request, reply) => {
      reply.type(service.metrics.contentType);
      return service.metrics.text();
    },
  );
};
