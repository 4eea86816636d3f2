import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { byScore } from '../byScore.ts';
import { rankSlices } from '../rankSlices.ts';
import { DeadlineMs, failures, RankCounts, RankTimings, RequestId, Searcher, Workload } from '../schemas.ts';
import type { Service } from '../service.ts';

const RankBody = Type.Object(
  {
    query: Type.String({ description: 'What the documents are to answer.', examples: ['night nurse'] }),
    documents: Type.Array(
      Type.Union([
        Type.String(),
        Type.Object(
          {
            id: Type.Optional(Type.String({ description: 'Comes back with the score.' })),
            title: Type.Optional(Type.String({ description: 'Read before the text.' })),
            text: Type.String(),
          },
          { additionalProperties: false },
        ),
      ]),
      {
        maxItems: 10_000,
        description: 'Texts; they need not be in the index.',
      },
    ),
    k: Type.Optional(Type.Integer({ minimum: 1, description: 'Results wanted; all by default.' })),
    deadlineMs: Type.Optional(DeadlineMs),
    searcher: Type.Optional(Searcher),
  },
  {
    additionalProperties: false,
    examples: [
      {
        query: 'night nurse',
        documents: ['Care for patients on the night shift.', 'Move pallets in a warehouse.'],
      },
    ],
  },
);

const RankReply = Type.Object({
  requestId: RequestId,
  workload: Workload,
  results: Type.Array(
    Type.Object({
      index: Type.Integer({ description: 'Place in the request, from 0.' }),
      id: Type.Optional(Type.String()),
      score: Type.Optional(
        Type.Number({ description: 'Logit of the ranker; left out where the deadline came first.' }),
      ),
      rank: Type.Integer({ description: '1 is best.' }),
    }),
    { description: 'Best first; what the deadline did not let be ranked follows as it came.' },
  ),
  ...RankCounts,
  timings: RankTimings,
});

/** `POST /rank`: texts in the order of their relevance. */
export const rankRoutes: FastifyPluginAsyncTypebox<{ service: Service }> = async (app, { service }) => {
  app.post(
    '/rank',
    {
      schema: {
        tags: ['search'],
        summary: 'Rank texts',
        description:
          'Scores texts for a query by the cross-encoder. Many texts are ranked in slices, so that others are ' +
          'served in between.',
        body: RankBody,
        response: { 200: RankReply, ...failures },
      },
    },
    async (request, reply) => {
      const started = performance.now();
      const { k, documents, ...question } = request.body;
      const { scores, tokens, workload, waitMs, rankMs, ...counts } = await rankSlices(
        service,
        request,
        reply,
        {
          ...question,
          documents: documents.map((document) =>
            typeof document === 'string' ? document : { title: document.title, text: document.text },
          ),
        },
      );
      const results = byScore(scores)
        .slice(0, k)
        .map((index, i) => {
          const document = documents[index]!;
          const id = typeof document === 'string' ? undefined : document.id;
          const score = scores[index]!;
          return {
            index,
            ...(id !== undefined && { id }),
            ...(!Number.isNaN(score) && { score }),
            rank: i + 1,
          };
        });
      return {
        requestId: request.id,
        workload,
        results,
        ...counts,
        timings: { wait: waitMs, rank: rankMs, total: performance.now() - started },
      };
    },
  );
};
