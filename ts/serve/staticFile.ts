import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';

export interface StaticFile {
  content: Buffer;
  /** Media type. */
  type: string;
  headers: Record<string, string>;
}

/**
 * Serves a file from memory, to anyone. Browsers ask each time whether it has changed, so that an update is seen at
 * once; the ETag is of the content, since packages come with one and the same date on all files.
 */
export function serveFile(app: FastifyInstance, url: string, { content, type, headers }: StaticFile): void {
  const etag = `"${createHash('sha256').update(content).digest('base64url')}"`;
  app.get(url, { schema: { hide: true }, config: { access: 'open' } }, (request, reply) => {
    reply.headers({ 'cache-control': 'no-cache', ...headers, etag });
    const known = request.headers['if-none-match']?.split(/\s*,\s*/).map((tag) => tag.replace(/^W\//, ''));
    if (known?.includes(etag)) return reply.code(304).send();
    return reply.type(type).send(content);
  });
}
