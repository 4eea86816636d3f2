import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type, { type Static } from 'typebox';
import { byScore } from '../byScore.ts';
import { rankSlices } from '../rankSlices.ts';
import type { Service } from '../service.ts';
import { checkModel, relevance, speakDialect } from './dialect.ts';

const Text = Type.Union([
  Type.String(),
  Type.Object({ text: Type.String() }, { additionalProperties: false }),
]);

const RerankBody = Type.Object(
  {
    model: Type.String({ description: 'Name of the ranker: see /info.' }),
    query: Text,
    documents: Type.Array(Text, {
      minItems: 1,
      maxItems: 10_000,
      description: 'Texts, or objects with one.',
    }),
    top_n: Type.Optional(
      Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], { description: 'Results; all by default.' }),
    ),
    return_documents: Type.Optional(
      Type.Union([Type.Boolean(), Type.Null()], {
        description: 'Whether the texts come back; true by default.',
      }),
    ),
  },
  { additionalProperties: false },
);

const RerankReply = Type.Object({
  model: Type.String(),
  object: Type.Literal('list'),
  usage: Type.Object({
    total_tokens: Type.Integer({ description: 'Tokens of the documents, as far as they are read.' }),
  }),
  results: Type.Array(
    Type.Object({
      index: Type.Integer(),
      relevance_score: Type.Number({
        minimum: 0,
        maximum: 1,
        description: "The logistic function of the ranker's logit.",
      }),
      document: Type.Optional(Type.Object({ text: Type.String() })),
    }),
  ),
});

const Failure = Type.Object({
  detail: Type.String(),
  code: Type.String({ description: 'As in all failures of this server.' }),
});

const textOf = (text: Static<typeof Text>): string => (typeof text === 'string' ? text : text.text);

/** What clients of Jina's reranker speak, under `/jina/v1`. */
export const jinaDialect: FastifyPluginAsyncTypebox<{ service: Service }> = async (app, { service }) => {
  speakDialect(app, ({ message, code }) => ({ body: { detail: message, code } }));

  app.post(
    '/v1/rerank',
    {
      schema: {
        tags: ['dialects'],
        summary: 'Rank texts, as Jina does',
        body: RerankBody,
        response: { 200: RerankReply, '4xx': Failure, '5xx': Failure },
      },
    },
    async (request, reply) => {
      const { model: asked, query, top_n, return_documents } = request.body;
      const model = checkModel(asked, service.index.models().ranker, 'ranker');
      const documents = request.body.documents.map(textOf);
      const { scores, tokens } = await rankSlices(service, request, reply, {
        query: textOf(query),
        documents,
        maxTokens: Number.MAX_SAFE_INTEGER, // as many as the ranker reads, but counted
      });
      const results = byScore(scores)
        .slice(0, top_n ?? documents.length)
        .map((index) => ({
          index,
          relevance_score: relevance(scores[index]!),
          ...(return_documents !== false && { document: { text: documents[index]! } }),
        }));
      return { model, object: 'list' as const, usage: { total_tokens: tokens }, results };
    },
  );
};
