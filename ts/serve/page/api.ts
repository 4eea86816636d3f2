import { Keeper } from './keeper.ts';
import type { Info, SearchAnswer, SearchRequest, WireDocument, WireExplanation } from './wire.ts';

const KEY = 'seine.key';
const keeper = new Keeper(() => sessionStorage);

/** What went wrong, by what can be done about it. */
export type Trouble = 'gone' | 'busy' | 'unauthorized' | 'refused';

/** A request without an answer to show. */
export class ApiError extends Error {
  readonly trouble: Trouble;
  /** Milliseconds after which the server wants to be asked again. */
  readonly retryAfterMs: number | undefined;

  constructor(trouble: Trouble, message: string, retryAfterMs?: number) {
    super(message);
    this.trouble = trouble;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Keeps an API key for as long as the tab lives. */
export function keepKey(key: string): void {
  keeper.write(KEY, key);
}

export const search = (request: SearchRequest, signal?: AbortSignal): Promise<SearchAnswer> =>
  ask<SearchAnswer>('search', request, signal);

export const info = (): Promise<Info> => ask<Info>('info');

export const explain = (
  request: SearchRequest & { id: string },
  signal?: AbortSignal,
): Promise<WireExplanation> => ask<WireExplanation>('explain', request, signal);

export const document = (id: string, signal?: AbortSignal): Promise<WireDocument> =>
  ask<WireDocument>(`documents/${encodeURIComponent(id)}`, undefined, signal);

/** Sends JSON, if there is any, and reads JSON; paths are relative, so that the page works under a prefix. */
async function ask<T>(path: string, body?: object, signal?: AbortSignal): Promise<T> {
  const key = keeper.read(KEY);
  const response = await fetch(path, {
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(typeof key === 'string' && { authorization: `Bearer ${key}` }),
    },
    signal: signal ?? null,
  }).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    throw new ApiError('gone', 'The server does not answer.');
  });
  const reply: unknown = await response.json().catch(() => undefined);
  signal?.throwIfAborted();
  if (response.ok && reply !== undefined) return reply as T;
  throw failure(response, reply);
}

function failure(response: Response, reply: unknown): ApiError {
  const { status } = response;
  const told = (reply as { error?: { message?: unknown } } | undefined)?.error?.message;
  const message = typeof told === 'string' ? told : `The server answered with status ${status}.`;
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1000 : undefined;
  if (status === 401) return new ApiError('unauthorized', message);
  if (status === 429) return new ApiError('busy', message, retryAfterMs);
  if ([502, 503, 504].includes(status) || response.ok) return new ApiError('gone', message, retryAfterMs);
  return new ApiError('refused', message);
}
