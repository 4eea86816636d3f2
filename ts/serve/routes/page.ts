import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyPluginAsync } from 'fastify';

const ROOT = fileURLToPath(new URL('../page', import.meta.url));
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * Nothing but the page's own files and the server's own answers: no inline script or style, nothing from elsewhere, no
 * text taken as HTML (Trusted Types), no frame around it.
 */
const HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
};

/**
 * `GET /` and its files under `/page/`, from memory. Browsers ask each time whether they have changed, so that an update
 * is seen at once; the ETag is of the content, since packages come with one and the same date on all files.
 */
export const pageRoutes: FastifyPluginAsync = async (app) => {
  for (const file of readdirSync(ROOT)) {
    const type = TYPES[extname(file)];
    if (type === undefined) continue;
    const content = readFileSync(join(ROOT, file));
    const etag = `"${createHash('sha256').update(content).digest('base64url')}"`;
    const url = file === 'index.html' ? '/' : `/page/${file}`;
    app.get(url, { schema: { hide: true } }, (request, reply) => {
      reply.headers(HEADERS).header('etag', etag);
      const known = request.headers['if-none-match']?.split(/\s*,\s*/).map((tag) => tag.replace(/^W\//, ''));
      if (known?.includes(etag)) return reply.code(304).send();
      return reply.type(type).send(content);
    });
  }
};
