import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { byScore } from '../byScore.ts';
import { rankSlices } from '../rankSlices.ts';
import type { Service } from '../service.ts';
import { checkModel, relevance, speakDialect } from './dialect.ts';

const RerankBody = Type.Object(
  {
    model: Type.String({ description: 'Name of the ranker: see /info.' }),
    query: Type.String({ minLength: 1 }),
    documents: Type.Array(Type.String(), { minItems: 1, maxItems: 10_000 }),
    top_n: Type.Optional(
      Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], { description: 'Results; all by default.' }),
    ),
    max_tokens_per_doc: Type.Optional(
      Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], {
        description: 'Longer documents are cut; also at what the ranker can read. 4096 by default.',
      }),
    ),
    priority: Type.Optional(
      Type.Union([Type.Integer(), Type.Null()], {
        description: 'Taken, and of no effect: workloads decide who goes first.',
      }),
    ),
  },
  { additionalProperties: false },
);

const RerankReply = Type.Object({
  id: Type.String({ description: 'The id of the request.' }),
  results: Type.Array(
    Type.Object({
      index: Type.Integer(),
      relevance_score: Type.Number({
        minimum: 0,
        maximum: 1,
        description: "The logistic function of the ranker's logit.",
      }),
    }),
  ),
  meta: Type.Object({
    api_version: Type.Object({ version: Type.String() }),
    billed_units: Type.Object({
      search_units: Type.Integer({ description: 'One for every hundred documents.' }),
    }),
  }),
});

const Failure = Type.Object({
  message: Type.String(),
  code: Type.String({ description: 'As in all failures of this server.' }),
});

/** Cohere reads so much of a document unless told otherwise. */
const MAX_TOKENS = 4096;
/** Documents of one search unit. */
const UNIT = 100;

/** What clients of Cohere's second rerank API speak, under `/cohere/v2`. */
export const cohereDialect: FastifyPluginAsyncTypebox<{ service: Service }> = async (app, { service }) => {
  speakDialect(app, ({ message, code }) => ({ body: { message, code } }));

  app.post(
    '/v2/rerank',
    {
      schema: {
        tags: ['dialects'],
        summary: 'Rank texts, as Cohere does',
        body: RerankBody,
        response: { 200: RerankReply, '4xx': Failure, '5xx': Failure },
      },
    },
    async (request, reply) => {
      const { model, query, documents, top_n, max_tokens_per_doc } = request.body;
      checkModel(model, service.index.models().ranker, 'ranker');
      const { scores } = await rankSlices(service, request, reply, {
        query,
        documents,
        maxTokens: max_tokens_per_doc ?? MAX_TOKENS,
      });
      const results = byScore(scores)
        .slice(0, top_n ?? documents.length)
        .map((index) => ({ index, relevance_score: relevance(scores[index]!) }));
      return {
        id: request.id,
        results,
        meta: {
          api_version: { version: '2' },
          billed_units: { search_units: Math.ceil(documents.length / UNIT) },
        },
      };
    },
  );
};
