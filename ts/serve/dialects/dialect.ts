import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { SeineError, show } from '../../core/errors.ts';
import type { IndexModels } from '../../indexParts.ts';
import { markFailure, requestError } from '../errorReply.ts';

/** Texts of one request at most. */
export const MOST_TEXTS = 2048;

/** What a failure looks like in a dialect: `status` if its clients expect another one than Seine's. */
export type FailureShape = (failure: SeineError) => { status?: number; body: unknown };

/** Gives all failures under a dialect's prefix, unknown paths among them, the shape that its clients read. */
export function speakDialect(app: FastifyInstance, shape: FailureShape): void {
  const send = (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const failure = requestError(error, request.id);
    markFailure(failure, request, reply);
    const { status, body } = shape(failure);
    if (status !== undefined) reply.code(status);
    return reply.send(body);
  };
  app.setErrorHandler(send);
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0];
    const message = `There is no ${request.method} ${path}: /docs lists what there is.`;
    return send(new SeineError('ERR_NOT_FOUND', message), request, reply);
  });
}

/** One text or several; arrays of tokens are let through, to be refused in words. */
export const TextInput = Type.Union(
  [
    Type.String(),
    Type.Array(Type.Union([Type.String(), Type.Integer(), Type.Array(Type.Integer())]), {
      maxItems: MOST_TEXTS,
    }),
  ],
  { description: `A text, or up to ${MOST_TEXTS} texts.`, examples: ['night nurse'] },
);

type GivenInput = string | (string | number | number[])[];

/** The texts of a request; ERR_ARGUMENT for tokens, which mean something to one model alone. */
export function textsOf(input: GivenInput, field: string): string[] {
  const texts = typeof input === 'string' ? [input] : input;
  const wrong = texts.find((text) => typeof text !== 'string');
  if (wrong !== undefined) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `${field} must be text, got ${show(wrong)}: token ids are not taken, send the text that they stand for.`,
    );
  }
  return texts as string[];
}

/** The length of vectors to send; ERR_ARGUMENT for one at which the model's are no embeddings. */
export function lengthOf(
  asked: number | undefined | null,
  { name, dim, matryoshka }: IndexModels['embedder'],
): number {
  if (asked === undefined || asked === null || asked === dim) return dim;
  if (asked < dim && (Array.isArray(matryoshka) ? matryoshka.includes(asked) : matryoshka)) return asked;
  const lengths = Array.isArray(matryoshka)
    ? [...matryoshka, dim].join(', ')
    : matryoshka
      ? `up to ${dim}`
      : dim;
  throw new SeineError(
    'ERR_ARGUMENT',
    `dimensions must be ${lengths} for the model ${show(name)}, got ${asked}: leave it out.`,
  );
}

/** The head of a vector, of length 1 in the sense of its norm if `normalize`. */
export function headOf(vector: Float32Array, length: number, normalize: boolean): Float32Array {
  const head = vector.subarray(0, length);
  if (!normalize) return head;
  const norm = Math.hypot(...head);
  return norm === 0 ? head : head.map((value) => value / norm);
}

/** ERR_NOT_FOUND if a request names another model than the one that is served. */
export function checkModel(asked: string, served: string | undefined, role: string): string {
  if (asked === served) return served;
  const there =
    served === undefined ? `nothing serves as ${role} here` : `the ${role} here is ${show(served)}`;
  throw new SeineError('ERR_NOT_FOUND', `There is no model ${show(asked)}: ${there}.`);
}

/** A logit as a relevance from 0 to 1: the logistic function, as cross-encoders of one label are trained with. */
export const relevance = (logit: number): number => 1 / (1 + Math.exp(-logit));
