import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import helmet from '@fastify/helmet';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, { type FastifyInstance, LogController } from 'fastify';
import { describeInvalid } from '../core/describeInvalid.ts';
import { SeineError } from '../core/errors.ts';
import { checkAccess } from './access.ts';
import { limitBodyTime } from './bodyTime.ts';
import { answerClientError } from './clientErrors.ts';
import { cohereDialect } from './dialects/cohere.ts';
import { jinaDialect } from './dialects/jina.ts';
import { openaiDialect } from './dialects/openai.ts';
import { teiDialect } from './dialects/tei.ts';
import { sendError } from './errorReply.ts';
import { servedHosts } from './hosts.ts';
import { jsonBody } from './jsonBody.ts';
import { addOpenApi } from './openapi.ts';
import { followRequest } from './requestLog.ts';
import { docsRoutes } from './routes/docs.ts';
import { documentRoutes } from './routes/documents.ts';
import { explainRoutes } from './routes/explain.ts';
import { healthRoutes } from './routes/health.ts';
import { infoRoutes } from './routes/info.ts';
import { pageRoutes } from './routes/page.ts';
import { rankRoutes } from './routes/rank.ts';
import { searchRoutes } from './routes/search.ts';
import type { Service } from './service.ts';
import { validatorCompiler } from './validation.ts';

/** Ids that a caller may give a request. */
const REQUEST_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** Bytes of a request's headers. */
const HEADER_BYTES = 16_384;

/** Answers are data: nothing in them may load or run anything. What is meant for people has a policy of its own. */
const SECURITY_HEADERS = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  },
  // Whoever puts TLS in front decides on these.
  strictTransportSecurity: false,
};

/** Where logs go: lines of JSON. */
export interface LogStream {
  write(line: string): void;
}

/** The HTTP application over a service: all plugins and routes, not yet listening. */
export async function buildApp(service: Service, log: LogStream): Promise<FastifyInstance> {
  const { settings, keys, metrics } = service;
  const { requestTimeoutMs, headersTimeoutMs } = settings;
  const app = fastify({
    logger: { level: settings.logLevel, stream: log },
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    // Ids of documents in a path may be as long as the headers allow.
    routerOptions: { maxParamLength: HEADER_BYTES },
    bodyLimit: settings.bodyLimit,
    requestTimeout: 0, // see limitBodyTime
    keepAliveTimeout: settings.keepAliveTimeoutMs,
    return503OnClosing: false, // it is answered in our shape: see below
    http: {
      maxHeaderSize: HEADER_BYTES,
      headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
      connectionsCheckingInterval: Math.min(
        1000,
        Math.ceil(Math.min(headersTimeoutMs, requestTimeoutMs) / 4),
      ),
    },
    clientErrorHandler: (error, socket) => {
      const status = answerClientError(error, socket as Socket);
      if (status !== undefined) metrics.clientError(status);
    },
    frameworkErrors: (error, request, reply) => {
      followRequest(service, request, reply);
      limitBodyTime(request, reply, requestTimeoutMs);
      sendError(error, request, reply);
    },
    genReqId: ({ headers }) => {
      const given = headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    },
    schemaErrorFormatter: (errors, part) => new SeineError('ERR_ARGUMENT', describeInvalid(errors, part)),
  }).withTypeProvider<TypeBoxTypeProvider>();

  // A browser sends text/plain from any page without asking first.
  app.removeContentTypeParser('text/plain');
  app.addContentTypeParser('application/json', jsonBody(service.bodies));
  app.setValidatorCompiler(validatorCompiler);
  app.setErrorHandler(sendError);
  app.setNotFoundHandler((request, reply) => {
    const message = `There is no ${request.method} ${request.url.split('?')[0]}: /docs lists what there is.`;
    return sendError(new SeineError('ERR_NOT_FOUND', message), request, reply);
  });
  app.decorateRequest('apiKey', undefined);
  app.decorateRequest('workload', undefined);
  app.decorateRequest('failure', undefined);

  app.addHook('onRequest', async (request, reply) => {
    followRequest(service, request, reply);
    limitBodyTime(request, reply, requestTimeoutMs);
    reply.header('x-request-id', request.id);
  });
  await app.register(helmet, SECURITY_HEADERS);
  app.addHook('onRequest', async (request) => {
    if (!service.draining || request.routeOptions.config.anyHost) return;
    throw new SeineError('ERR_CLOSED', 'The server is shutting down: ask again in a moment.');
  });
  const hosts = servedHosts(settings.host, settings.allowedHosts, keys.size > 0);
  app.addHook('onRequest', checkAccess(keys, hosts));
  app.addHook('onSend', async (_request, reply) => {
    if (service.draining) reply.header('connection', 'close');
  });

  await addOpenApi(app, service.version);
  await app.register(healthRoutes, { service });
  await app.register(searchRoutes, { service });
  await app.register(explainRoutes, { service });
  await app.register(documentRoutes, { service });
  await app.register(rankRoutes, { service });
  await app.register(infoRoutes, { service });
  await app.register(openaiDialect, { service, prefix: '/openai' });
  await app.register(cohereDialect, { service, prefix: '/cohere' });
  await app.register(jinaDialect, { service, prefix: '/jina' });
  await app.register(teiDialect, { service, prefix: '/tei' });
  await app.register(pageRoutes);
  await app.register(docsRoutes);
  return app;
}
