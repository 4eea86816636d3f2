import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import { SeineError } from '../../core/errors.ts';
import type { FilterExpression } from '../../core/types.ts';
import { admitted } from '../admitted.ts';
import { AttributesJson, attributesToJson } from '../attributeJson.ts';
import { depthOf } from '../depthOf.ts';
import {
  DeadlineMs,
  Filter,
  failures,
  Generation,
  HitFields,
  QUESTION_BYTES,
  RankCounts,
  RequestId,
  Retrieve,
  Searcher,
  SearchTimings,
  Workload,
} from '../schemas.ts';
import type { Service } from '../service.ts';

const options = {
  k: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'Hits wanted; 10 by default.' })),
  offset: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 10_000,
      description:
        'Hits to leave out from the front, for paging. Pages fit together if their answers tell the same depth: ask ' +
        'for the depth that the first one told.',
    }),
  ),
  depth: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 1000,
      description: 'Documents that the ranker reads: at most as many as the server allows now; 0 ranks none.',
    }),
  ),
  retrieve: Type.Optional(Retrieve),
  deadlineMs: Type.Optional(DeadlineMs),
};

const SearchBody = Type.Object(
  {
    query: Type.String({ description: 'What to search for.', examples: ['night nurse'] }),
    ...options,
    filter: Type.Optional(Filter),
    facets: Type.Optional(
      Type.Array(Type.String(), {
        maxItems: 100,
        description: 'Attributes whose values are to be counted over all documents that pass the filter.',
      }),
    ),
    searcher: Type.Optional(Searcher),
  },
  { additionalProperties: false, examples: [{ query: 'night nurse', k: 5 }] },
);

const SearchQuery = Type.Object(
  {
    q: Type.String({ description: 'What to search for.', examples: ['night nurse'] }),
    ...options,
    filter: Type.Optional(Type.String({ description: 'The filter as JSON text.' })),
    facets: Type.Optional(Type.String({ description: 'Names of attributes, with commas between them.' })),
  },
  { additionalProperties: false },
);

const SearchReply = Type.Object({
  requestId: RequestId,
  query: Type.String(),
  workload: Workload,
  hits: Type.Array(Type.Object({ ...HitFields, attributes: AttributesJson })),
  facets: Type.Optional(
    Type.Record(
      Type.String(),
      Type.Array(Type.Object({ value: Type.Union([Type.String(), Type.Boolean()]), count: Type.Integer() })),
    ),
  ),
  generation: Generation,
  device: Type.String({ description: 'Where vectors were searched.' }),
  depth: Type.Integer({ description: 'Documents that the ranker was to read.' }),
  ...RankCounts,
  timings: SearchTimings,
});

/** `POST /search` and `GET /search`: one query, its hits. */
export const searchRoutes: FastifyPluginAsyncTypebox<{ service: Service }> = async (app, { service }) => {
  const schema = {
    tags: ['search'],
    summary: 'Search',
    description:
      'The best documents for a query. A search sees the index as it was when it began, with everything in it ' +
      'that was acknowledged before.',
    response: { 200: SearchReply, ...failures },
  };

  async function answer(
    request: FastifyRequest,
    reply: FastifyReply,
    { query, ...asked }: Static<typeof SearchBody>,
  ): Promise<Static<typeof SearchReply>> {
    const arrived = performance.now();
    return admitted(service, request, reply, { deadlineMs: asked.deadlineMs }, async (turn) => {
      const { workload, waitMs, deadlineMs, signal } = turn;
      const { depth, controller } = depthOf(service, workload, asked.depth);
      const found = await service.index.search(query, { ...asked, depth, deadlineMs, signal });
      service.metrics.stages(workload, found.timings);
      service.metrics.ranked(workload, found.ranked);
      const total = performance.now() - arrived;
      controller?.observe(total);
      const hits = found.hits.map((hit) => ({ ...hit, attributes: attributesToJson(hit.attributes) }));
      const timings = { ...found.timings, wait: waitMs, total };
      return { requestId: request.id, query, workload, ...found, hits, depth, timings };
    });
  }

  app.post(
    '/search',
    {
      schema: { ...schema, body: SearchBody },
      bodyLimit: Math.min(QUESTION_BYTES, service.settings.bodyLimit),
    },
    (request, reply) => answer(request, reply, request.body),
  );

  app.get('/search', { schema: { ...schema, querystring: SearchQuery } }, (request, reply) => {
    const { q, filter, facets, ...rest } = request.query;
    return answer(request, reply, {
      query: q,
      ...rest,
      ...(filter !== undefined && { filter: parseFilter(filter) }),
      ...(facets !== undefined && { facets: facets.split(',').filter((name) => name !== '') }),
    });
  });
};

function parseFilter(text: string): FilterExpression {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SeineError('ERR_FILTER', `The filter is not JSON: ${(error as Error).message}.`, {
      cause: error,
    });
  }
}
