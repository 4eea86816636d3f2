import type { FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, SeineError, show } from '../core/errors.ts';
import { hostNames } from './hosts.ts';
import type { KeyRing, KnownKey } from './keys.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a caller needs where there are keys: any key (`read`, the default), one that may write, or none. */
    access?: 'open' | 'read' | 'write';
    /** Whether the Host header does not matter: for probes, which ask by address. */
    anyHost?: boolean;
  }
  interface FastifyRequest {
    /** Whose key the request bears, where there are keys and the route needs one. */
    apiKey: KnownKey | undefined;
    /** Class of work that it was admitted to. */
    workload: string | undefined;
    /** Code of the error that it was answered with. */
    failure: ErrorCode | undefined;
  }
}

const BEARER = /^Bearer +(\S+) *$/i;

/** The key of a request: `Authorization: Bearer KEY`, or else `X-Api-Key: KEY`. */
function secretOf({ headers }: FastifyRequest): string | undefined {
  const bearer = BEARER.exec(headers.authorization ?? '')?.[1];
  if (bearer !== undefined) return bearer;
  const plain = headers['x-api-key'];
  return typeof plain === 'string' ? plain : undefined;
}

/**
 * Refuses what may not be asked, before the body is read. Errors: ERR_FORBIDDEN (the Host header is not one of
 * `hosts`, or the key may not write), ERR_UNAUTHORIZED.
 */
export function checkAccess(
  keys: KeyRing,
  hosts: ReadonlySet<string> | undefined,
): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  return async (request, reply) => {
    const { access = 'read', anyHost = false } = request.routeOptions.config;
    if (hosts !== undefined && !anyHost && !hostNames(request.headers.host).some((name) => hosts.has(name))) {
      throw new SeineError(
        'ERR_FORBIDDEN',
        `This server does not answer to the host ${show(request.headers.host)}: ask for one of ` +
          `${[...hosts].join(', ')}, or name it in the setting allowedHosts.`,
      );
    }
    if (keys.size === 0 || access === 'open') return;
    const secret = secretOf(request);
    if (secret === undefined) {
      reply.header('www-authenticate', 'Bearer realm="seine"');
      throw new SeineError(
        'ERR_UNAUTHORIZED',
        'This needs an API key: send it as "Authorization: Bearer KEY" or "X-Api-Key: KEY".',
      );
    }
    const key = keys.find(secret);
    if (key === undefined) {
      reply.header('www-authenticate', 'Bearer realm="seine", error="invalid_token"');
      throw new SeineError('ERR_UNAUTHORIZED', 'The API key is not known: correct it.');
    }
    request.apiKey = key;
    if (access === 'write' && !key.write) {
      throw new SeineError(
        'ERR_FORBIDDEN',
        `The key ${show(key.name)} may not change the index: use one that may write.`,
      );
    }
  };
}
