import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import type { FilterExpression } from '../../core/types.ts';
import { clientSignal } from '../clientSignal.ts';
import type { Service } from '../service.ts';

const SearchBody = Type.Object(
  {
    query: Type.String({ description: 'What to search for.' }),
    k: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 10, description: 'Hits wanted.' })),
    offset: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000, default: 0 })),
    depth: Type.Optional(Type.Integer({ minimum: 0, maximum: 1000 })),
    retrieve: Type.Optional(Type.Enum(['dense', 'bm25', 'fused'])),
    filter: Type.Optional(Type.Object({}, { additionalProperties: true })),
    facets: Type.Optional(Type.Array(Type.String(), { maxItems: 100 })),
    deadlineMs: Type.Optional(Type.Number({ minimum: 0 })),
  },
  { additionalProperties: false },
);

/** `POST /search`: one query, its hits. */
export const searchRoutes: FastifyPluginAsyncTypebox<{ service: Service }> = async (app, { service }) => {
  app.post('/search', { schema: { body: SearchBody } }, async (request, reply) => {
    const { query, filter, ...options } = request.body;
    const answer = await service.index.search(query, {
      ...options,
      filter: filter as FilterExpression | undefined,
      signal: clientSignal(reply),
    });
    return { requestId: request.id, query, ...answer };
  });
};
