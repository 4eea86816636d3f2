import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { SeineError } from '../../core/errors.ts';
import { embedSlices } from '../embedSlices.ts';
import type { Service } from '../service.ts';
import { checkModel, headOf, lengthOf, speakDialect, TextInput, textsOf } from './dialect.ts';

const EmbeddingsBody = Type.Object(
  {
    input: TextInput,
    model: Type.String({ description: 'Name of the embedder: see /openai/v1/models.' }),
    dimensions: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'Length of vectors: their own, or one that the model was trained for (Matryoshka).',
      }),
    ),
    encoding_format: Type.Optional(
      Type.Enum(['float', 'base64'], {
        description: 'Numbers (default), or base64 of float32, little-endian.',
      }),
    ),
    user: Type.Optional(Type.String({ description: 'Taken, and of no effect.' })),
  },
  { additionalProperties: false },
);

const EmbeddingsReply = Type.Object({
  object: Type.Literal('list'),
  data: Type.Array(
    Type.Object({
      object: Type.Literal('embedding'),
      index: Type.Integer(),
      embedding: Type.Union([Type.Array(Type.Number()), Type.String()]),
    }),
  ),
  model: Type.String(),
  usage: Type.Object({ prompt_tokens: Type.Integer(), total_tokens: Type.Integer() }),
});

const Model = Type.Object({
  id: Type.String(),
  object: Type.Literal('model'),
  created: Type.Integer({ description: 'When this server started, in seconds since 1970.' }),
  owned_by: Type.String(),
});

const Failure = Type.Object({
  error: Type.Object({
    message: Type.String(),
    type: Type.String(),
    param: Type.Union([Type.String(), Type.Null()]),
    code: Type.String({ description: 'As in all failures of this server.' }),
  }),
});
const failures = { '4xx': Failure, '5xx': Failure };

function typeOf({ status }: SeineError): string {
  if (status === 429) return 'requests';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}

/** Vectors as the client wants them, as JSON text. */
const WRITERS = {
  float: (vector: Float32Array): string => `[${vector.join(',')}]`,
  base64: (vector: Float32Array): string => {
    const bytes = Buffer.alloc(vector.length * 4);
    vector.forEach((value, i) => {
      bytes.writeFloatLE(value, i * 4);
    });
    return `"${bytes.toString('base64')}"`;
  },
};

/** What clients of OpenAI's embeddings speak, under `/openai/v1`. */
export const openaiDialect: FastifyPluginAsyncTypebox<{ service: Service }> = async (app, { service }) => {
  const tags = ['dialects'];
  const created = Math.floor(Date.now() / 1000);
  speakDialect(app, (failure) => {
    const { code, message } = failure;
    return { body: { error: { message, type: typeOf(failure), param: null, code } } };
  });

  app.post(
    '/v1/embeddings',
    {
      schema: {
        tags,
        summary: 'Embed texts, as OpenAI does',
        description:
          'Vectors of texts as documents: with the prompt for documents, if the embedder has one. Longer texts ' +
          'than it reads are cut.',
        body: EmbeddingsBody,
        response: { 200: Type.Unsafe<string>(EmbeddingsReply), ...failures },
      },
    },
    async (request, reply) => {
      const { input, model: asked, dimensions, encoding_format = 'float' } = request.body;
      const { embedder } = service.index.models();
      const model = checkModel(asked, embedder.name, 'embedder');
      const length = lengthOf(dimensions, embedder);
      const texts = textsOf(input, 'input');
      if (texts.length === 0 || texts.includes('')) {
        throw new SeineError('ERR_ARGUMENT', 'input must be one text or several, none of them empty.');
      }
      const written = WRITERS[encoding_format];
      const write = (vector: Float32Array): string =>
        written(length < vector.length ? headOf(vector, length, true) : vector);
      const { vectors, tokens } = await embedSlices(service, request, reply, texts, {
        kind: 'document',
        write,
      });
      const data = vectors.map(
        (embedding, index) => `{"object":"embedding","index":${index},"embedding":${embedding}}`,
      );
      const usage = { prompt_tokens: tokens, total_tokens: tokens };
      reply.type('application/json; charset=utf-8');
      // Written slice by slice as the vectors came: the framework's serialiser would hold everything up at the end.
      return reply.send(
        `{"object":"list","data":[${data.join(',')}],"model":${JSON.stringify(model)},"usage":${JSON.stringify(usage)}}`,
      );
    },
  );

  const models = () => {
    const { embedder, ranker } = service.index.models();
    return [embedder.name, ...(ranker === undefined ? [] : [ranker])].map((id) => ({
      id,
      object: 'model' as const,
      created,
      owned_by: 'seine',
    }));
  };

  app.get(
    '/v1/models',
    {
      schema: {
        tags,
        summary: 'The models that are served',
        response: {
          200: Type.Object({ object: Type.Literal('list'), data: Type.Array(Model) }),
          ...failures,
        },
      },
    },
    async () => ({ object: 'list' as const, data: models() }),
  );

  app.get(
    '/v1/models/:model',
    {
      schema: {
        tags,
        summary: 'A model that is served',
        params: Type.Object({ model: Type.String() }),
        response: { 200: Model, ...failures },
      },
    },
    async (request) => {
      const { model } = request.params;
      const found = models().find(({ id }) => id === model);
      if (found === undefined) {
        throw new SeineError('ERR_NOT_FOUND', `There is no model "${model}": see /openai/v1/models.`);
      }
      return found;
    },
  );
};
