import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { SeineError, show } from '../../core/errors.ts';
import { byScore } from '../byScore.ts';
import { checkReady } from '../checkReady.ts';
import { embedSlices } from '../embedSlices.ts';
import { DetailedError } from '../errorReply.ts';
import { rankSlices } from '../rankSlices.ts';
import type { Service } from '../service.ts';
import { headOf, lengthOf, MOST_TEXTS, relevance, speakDialect, TextInput, textsOf } from './dialect.ts';

/** Left is refused in words: the models here read the head of a text. */
const Direction = Type.Optional(Type.Enum(['right', 'Right', 'left', 'Left']));
const flag = (description: string) =>
  Type.Optional(Type.Union([Type.Boolean(), Type.Null()], { description }));

const EmbedBody = Type.Object(
  {
    inputs: TextInput,
    normalize: flag(
      'Whether vectors have the length 1; true by default. Some models make them so themselves.',
    ),
    truncate: flag(
      'Whether texts are cut that are longer than the model reads; they are refused by default.',
    ),
    truncation_direction: Direction,
    prompt_name: Type.Optional(
      Type.Union([Type.Enum(['query', 'document']), Type.Null()], {
        description: 'The prompt that the model puts before texts, if it has one: "document" by default.',
      }),
    ),
    dimensions: Type.Optional(
      Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], {
        description: 'Length of vectors: their own, or one that the model was trained for (Matryoshka).',
      }),
    ),
  },
  { additionalProperties: false },
);

const RerankBody = Type.Object(
  {
    query: Type.String(),
    texts: Type.Array(Type.String(), { maxItems: MOST_TEXTS }),
    raw_scores: flag('Logits instead of their logistic function; false by default.'),
    return_text: flag('Whether the texts come back; false by default.'),
    truncate: flag(
      'Whether texts are cut that are longer than the model reads; they are refused by default.',
    ),
    truncation_direction: Direction,
  },
  { additionalProperties: false },
);

const Ranks = Type.Array(
  Type.Object({ index: Type.Integer(), text: Type.Optional(Type.String()), score: Type.Number() }),
);

const Info = Type.Object({
  model_id: Type.String(),
  model_sha: Type.String({ description: "SHA-256 over the model's files." }),
  model_dtype: Type.String(),
  model_type: Type.Object({ embedding: Type.Object({ pooling: Type.String() }) }),
  max_concurrent_requests: Type.Integer(),
  max_input_length: Type.Integer(),
  max_batch_tokens: Type.Integer(),
  max_batch_requests: Type.Null(),
  max_client_batch_size: Type.Integer(),
  auto_truncate: Type.Boolean(),
  tokenization_workers: Type.Integer(),
  version: Type.String(),
  sha: Type.Null(),
  docker_label: Type.Null(),
});

const Failure = Type.Object({
  error: Type.String(),
  error_type: Type.Enum(['Unhealthy', 'Backend', 'Overloaded', 'Validation', 'Tokenizer', 'Empty']),
  code: Type.String({ description: 'As in all failures of this server.' }),
});
const failures = { '4xx': Failure, '5xx': Failure };

/** TEI answers 424 where a model fails. */
const FAILED_DEPENDENCY = 424;

function errorType(failure: SeineError): string {
  const { code, status } = failure;
  if (failure instanceof DetailedError && failure.details.empty === true) return 'Empty';
  if (code === 'ERR_OVERLOADED' || code === 'ERR_DEADLINE') return 'Overloaded';
  if (status === 503) return 'Unhealthy';
  return status >= 500 ? 'Backend' : 'Validation';
}

const empty = (field: string): SeineError =>
  new DetailedError('ERR_ARGUMENT', `\`${field}\` cannot be empty.`, { empty: true });

function checkDirection(direction: string | undefined): void {
  if (direction === undefined || direction.toLowerCase() === 'right') return;
  throw new SeineError(
    'ERR_ARGUMENT',
    `truncation_direction must be "right", got ${show(direction)}: texts are cut at their end.`,
  );
}

function tooLong(texts: string): SeineError {
  return new SeineError(
    'ERR_TOO_LARGE',
    `${texts} longer than the model reads: shorten, or set \`truncate\` to have only the head read.`,
  );
}

/** What clients of Text Embeddings Inference speak, under `/tei`. */
export const teiDialect: FastifyPluginAsyncTypebox<{ service: Service }> = async (app, { service }) => {
  const tags = ['dialects'];
  speakDialect(app, (failure) => {
    const type = errorType(failure);
    const body = { error: failure.message, error_type: type, code: failure.code };
    return type === 'Backend' ? { status: FAILED_DEPENDENCY, body } : { body };
  });

  app.post(
    '/embed',
    {
      schema: {
        tags,
        summary: 'Embed texts, as Text Embeddings Inference does',
        body: EmbedBody,
        response: { 200: Type.Unsafe<string>(Type.Array(Type.Array(Type.Number()))), ...failures },
      },
    },
    async (request, reply) => {
      const { inputs, normalize, truncate, truncation_direction, prompt_name, dimensions } = request.body;
      checkDirection(truncation_direction);
      const texts = textsOf(inputs, '`inputs`');
      if (texts.length === 0) throw empty('inputs');
      const { embedder } = service.index.models();
      const length = lengthOf(dimensions, embedder);
      const { vectors } = await embedSlices(service, request, reply, texts, {
        kind: prompt_name ?? 'document',
        write: (vector) => `[${headOf(vector, length, normalize !== false).join(',')}]`,
        onTruncated: (text) => {
          if (truncate === true) return;
          throw tooLong(`\`inputs\` must have at most ${embedder.maxTokens} tokens; number ${text} is`);
        },
      });
      return reply.type('application/json; charset=utf-8').send(`[${vectors.join(',')}]`);
    },
  );

  app.post(
    '/rerank',
    {
      schema: {
        tags,
        summary: 'Rank texts, as Text Embeddings Inference does',
        body: RerankBody,
        response: { 200: Ranks, ...failures },
      },
    },
    async (request, reply) => {
      const { query, texts, raw_scores, return_text, truncate, truncation_direction } = request.body;
      checkDirection(truncation_direction);
      if (texts.length === 0) throw empty('texts');
      const { scores } = await rankSlices(service, request, reply, {
        query,
        documents: texts,
        onTruncated: () => {
          if (truncate === true) return;
          throw tooLong('`query` and each of `texts` must fit the model together, but some are');
        },
      });
      return byScore(scores).map((index) => ({
        index,
        ...(return_text === true && { text: texts[index]! }),
        score: raw_scores === true ? scores[index]! : relevance(scores[index]!),
      }));
    },
  );

  app.get(
    '/info',
    { schema: { tags, summary: 'The embedder, as TEI tells it', response: { 200: Info, ...failures } } },
    async () => {
      const { embedder } = service.index.models();
      return {
        model_id: embedder.name,
        model_sha: embedder.hash,
        model_dtype: 'float32',
        model_type: { embedding: { pooling: 'unspecified' } },
        max_concurrent_requests: service.settings.maxConnections,
        max_input_length: embedder.maxTokens,
        max_batch_tokens: MOST_TEXTS * embedder.maxTokens,
        max_batch_requests: null,
        max_client_batch_size: MOST_TEXTS,
        auto_truncate: false,
        tokenization_workers: 1,
        version: service.version,
        sha: null,
        docker_label: null,
      };
    },
  );

  app.get(
    '/health',
    {
      config: { access: 'open', anyHost: true },
      schema: {
        tags,
        summary: 'Whether the server takes work',
        response: {
          200: Type.Unsafe<undefined>({ type: 'null', description: 'It does; no body.' }),
          ...failures,
        },
      },
    },
    async (_request, reply) => {
      checkReady(service);
      return reply.code(200).send(undefined);
    },
  );
};
