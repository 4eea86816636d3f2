import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { failures, Generation } from '../schemas.ts';
import type { Service } from '../service.ts';

const InfoReply = Type.Object({
  version: Type.String({ description: 'Of Seine.' }),
  documents: Type.Integer(),
  rows: Type.Integer({ description: 'Vectors: more than documents if texts are cut into passages.' }),
  generation: Generation,
  attributes: Type.Record(
    Type.String(),
    Type.Enum(['keyword', 'number', 'boolean', 'timestamp', 'set', 'geo']),
    { description: 'Type of every attribute.' },
  ),
  model: Type.Object(
    {
      name: Type.String(),
      dim: Type.Integer({ description: 'Length of a vector.' }),
      maxTokens: Type.Integer({ description: 'Tokens of a text that it reads.' }),
      weights: Type.Optional(
        Type.Object(
          {
            similarity: Type.Number({ description: 'Of the cosine.' }),
            attributes: Type.Record(Type.String(), Type.Number(), {
              description: 'Of a deviation of each attribute from its mean.',
            }),
          },
          { description: 'What the score by vectors is the weighted sum of, if it weighs attributes.' },
        ),
      ),
    },
    { description: 'The embedder.' },
  ),
  ranker: Type.Optional(Type.String({ description: 'Left out if nothing ranks.' })),
  device: Type.String({ description: 'Where vectors are searched.' }),
  workloads: Type.Record(
    Type.String(),
    Type.Object({
      depth: Type.Optional(
        Type.Object(
          { now: Type.Integer(), least: Type.Integer(), greatest: Type.Integer() },
          {
            description: 'Ranking depth, where a controller sets it.',
          },
        ),
      ),
    }),
    { description: 'Classes of work, for the header x-seine-workload.' },
  ),
});

/** `GET /info`: what is served. */
export const infoRoutes: FastifyPluginAsyncTypebox<{ service: Service }> = async (app, { service }) => {
  app.get(
    '/info',
    {
      schema: {
        tags: ['service'],
        summary: 'What is served',
        response: { 200: InfoReply, ...failures },
      },
    },
    async () => {
      const { index, settings, depths, version } = service;
      const { documents, rows, generation, attributes, embedder, device, ranker } = await index.info();
      const { name, dim, maxTokens, features } = embedder;
      const weights = features && {
        similarity: features.similarity,
        attributes: Object.fromEntries(features.features.map(({ attribute, weight }) => [attribute, weight])),
      };
      const workloads = Object.entries(settings.workloads).map(([workload, { depth }]) => [
        workload,
        depth === undefined
          ? {}
          : { depth: { now: depths.get(workload)?.depth ?? depth.greatest, ...depth } },
      ]);
      return {
        version,
        documents,
        rows,
        generation,
        attributes,
        model: { name, dim, maxTokens, ...(weights && { weights }) },
        ...(ranker !== undefined && { ranker }),
        device,
        workloads: Object.fromEntries(workloads),
      };
    },
  );
};
