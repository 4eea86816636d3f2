import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, SeineError } from '../core/errors.ts';

/** The framework's own refusals, by its code. */
const FRAMEWORK: Record<string, [code: ErrorCode, message: string]> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'ERR_MEDIA_TYPE',
    'A body of this media type is not read here: send application/json (POST /documents also reads ' +
      'application/x-ndjson).',
  ],
  FST_ERR_BAD_URL: [
    'ERR_ARGUMENT',
    'The path is not a valid URL: percent-encode each byte that is no letter or digit, "%" among them.',
  ],
};

const UNREADABLE: [ErrorCode, string] = [
  'ERR_ARGUMENT',
  'The request cannot be read: /docs describes what is taken.',
];

/** What a loaded or stopping server answers is no failure of it. */
const FORESEEN: ErrorCode[] = ['ERR_DEADLINE', 'ERR_CLOSED'];

/** An error that tells a client more than its sentence, in fields of its own beside `code` and `message`. */
export class DetailedError extends SeineError {
  readonly details: Record<string, unknown>;

  constructor(
    code: ErrorCode,
    message: string,
    details: Record<string, unknown>,
    options?: { cause?: unknown },
  ) {
    super(code, message, options);
    this.details = details;
  }
}

/**
 * Any failure of a request as an error of Seine. What nobody foresaw is `ERR_INTERNAL`: its cause goes to the log and
 * not to the client.
 */
export function requestError(error: unknown, requestId: string): SeineError {
  if (error instanceof SeineError) return error;
  const { code = '', statusCode = 500 } = error as FastifyError;
  const known = FRAMEWORK[code] ?? (statusCode >= 400 && statusCode < 500 ? UNREADABLE : undefined);
  if (known !== undefined) return new SeineError(...known, { cause: error });
  const told = `The server failed: its log says why, under the request id ${requestId}.`;
  return new SeineError('ERR_INTERNAL', told, { cause: error });
}

/** Sets the status and the headers of a failed answer: `Retry-After` in whole seconds where it helps. */
export function markFailure(failure: SeineError, request: FastifyRequest, reply: FastifyReply): void {
  const { status, code } = failure;
  request.failure = code;
  if (status >= 500 && !FORESEEN.includes(code)) request.log.error({ err: failure }, 'request failed');
  reply.code(status).header('x-request-id', request.id);
  if (code === 'ERR_TIMEOUT') reply.header('connection', 'close');
  if (status !== 429 && status !== 503) return;
  const wait =
    'retryAfterMs' in failure && typeof failure.retryAfterMs === 'number' ? failure.retryAfterMs : 0;
  reply.header('retry-after', Math.max(1, Math.ceil(wait / 1000)));
}

/** Sends the one shape of errors: `{ error: { code, message, requestId } }`. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const failure = requestError(error, request.id);
  markFailure(failure, request, reply);
  const { code, message } = failure;
  const details = failure instanceof DetailedError ? failure.details : {};
  return reply.send({ error: { code, message, requestId: request.id, ...details } });
}
