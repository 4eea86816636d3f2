import { randomUUID } from 'node:crypto';
import swagger from '@fastify/swagger';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, { type FastifyInstance } from 'fastify';
import { SeineError } from '../core/errors.ts';
import { sendError } from './errorReply.ts';
import { documentRoutes } from './routes/documents.ts';
import { infoRoutes } from './routes/info.ts';
import { pageRoutes } from './routes/page.ts';
import { searchRoutes } from './routes/search.ts';
import type { Service } from './service.ts';
import { describeInvalid, validatorCompiler } from './validation.ts';

/** Ids that a caller may give a request. */
const REQUEST_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** Ids of documents in a path may be as long: what comes before it lies within Node's 16 KiB of headers. */
const MOST_ID_UNITS = 16_384;

/** The HTTP application over a service: all plugins and routes, not yet listening. */
export async function buildApp(service: Service): Promise<FastifyInstance> {
  const { settings } = service;
  const app = fastify({
    logger: { level: settings.logLevel },
    routerOptions: { maxParamLength: MOST_ID_UNITS },
    bodyLimit: settings.bodyLimit,
    requestTimeout: settings.requestTimeoutMs,
    genReqId: ({ headers }) => {
      const given = headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    },
    schemaErrorFormatter: (errors, part) => new SeineError('ERR_ARGUMENT', describeInvalid(errors, part)),
  }).withTypeProvider<TypeBoxTypeProvider>();

  app.setValidatorCompiler(validatorCompiler);
  app.setErrorHandler(sendError);
  app.setNotFoundHandler((request, reply) => {
    const message = `There is no ${request.method} ${request.url.split('?')[0]}: /docs lists what there is.`;
    return sendError(new SeineError('ERR_NOT_FOUND', message), request, reply);
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });

  await app.register(swagger, {
    openapi: { openapi: '3.1.0', info: { title: 'Seine', version: service.version } },
  });
  await app.register(searchRoutes, { service });
  await app.register(documentRoutes, { service });
  await app.register(infoRoutes, { service });
  await app.register(pageRoutes);
  return app;
}
