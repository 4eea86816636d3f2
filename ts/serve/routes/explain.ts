import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import type { Explanation } from '../../core/explanation.ts';
import { admitted } from '../admitted.ts';
import { explainedDepth } from '../depthOf.ts';
import { Filter, failures, QUESTION_BYTES, RequestId, Retrieve, Searcher, Workload } from '../schemas.ts';
import type { Service } from '../service.ts';

const ExplainBody = Type.Object(
  {
    query: Type.String({ examples: ['night nurse'] }),
    id: Type.String({ description: 'Of the document that is asked about.', examples: ['job-17'] }),
    retrieve: Type.Optional(Retrieve),
    depth: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1000,
        description: 'As the answer of the search that is asked about tells it.',
      }),
    ),
    k: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'As in the search.' })),
    offset: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000, description: 'As in the search.' })),
    filter: Type.Optional(Filter),
    searcher: Type.Optional(Searcher),
  },
  { additionalProperties: false, examples: [{ query: 'night nurse', id: 'job-17' }] },
);

/** A part of an explanation that only parts of the outcomes have. */
const part = <T>(description: string) =>
  Type.Optional(Type.Unsafe<NonNullable<T>>({ type: 'object', additionalProperties: true, description }));

const ExplainReply = Type.Object({
  requestId: RequestId,
  workload: Workload,
  depth: Type.Integer({ description: 'Documents that the ranker was to read.' }),
  query: Type.String({ description: 'The query as it is understood.' }),
  id: Type.String(),
  title: Type.Optional(Type.String()),
  found: Type.Boolean({ description: 'Whether a search that pages far enough shows the document.' }),
  outcome: Type.Enum(['ranked', 'retrieved', 'notRetrieved', 'filteredOut', 'noDocument', 'noQuery']),
  reason: Type.String({ description: 'One sentence that says why it stands there.' }),
  rank: Type.Optional(Type.Integer({ description: '1 is best.' })),
  score: Type.Optional(Type.Number()),
  scores: part<Explanation['scores']>('Scores by stage.'),
  decidedBy: Type.Optional(Type.Enum(['dense', 'bm25', 'fused', 'ranker'])),
  filter: part<Explanation['filter']>(
    'Clauses of the filter: path, operator, passes, attribute, wanted, value; clauses inside and, or and not.',
  ),
  retrieval: part<Explanation['retrieval']>(
    'Place and score in the lists by vector and by words, how they are fused, what the embedder reads and cuts.',
  ),
  ranking: part<Explanation['ranking']>(
    "The ranker's logit, z-scores and their weight, the rank before and after, what the ranker reads and cuts.",
  ),
  generation: Type.Integer(),
  device: Type.String(),
});

/** `POST /explain`: why a document stands where it does for a query. */
export const explainRoutes: FastifyPluginAsyncTypebox<{ service: Service }> = async (app, { service }) => {
  app.post(
    '/explain',
    {
      bodyLimit: Math.min(QUESTION_BYTES, service.settings.bodyLimit),
      schema: {
        tags: ['search'],
        summary: 'Explain a rank',
        description:
          'Why a document stands where it does for a query, or why it is not found: scores and ranks of each ' +
          'stage, clauses of the filter, tokens that the models read and cut. All numbers are those of a search ' +
          'with the same options.',
        body: ExplainBody,
        response: { 200: ExplainReply, ...failures },
      },
    },
    async (request, reply) => {
      const { query, id, ...asked } = request.body;
      return admitted(service, request, reply, {}, async ({ workload, signal }) => {
        const depth = explainedDepth(service, workload, asked.depth);
        const explanation = await service.index.explain(query, id, { ...asked, depth, signal });
        return { requestId: request.id, workload, depth, ...explanation };
      });
    },
  );
};
