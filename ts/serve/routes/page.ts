import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyPluginAsync } from 'fastify';
import { serveFile } from '../staticFile.ts';

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
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** `GET /` and its files under `/page/`. */
export const pageRoutes: FastifyPluginAsync = async (app) => {
  for (const file of readdirSync(ROOT)) {
    const type = TYPES[extname(file)];
    if (type === undefined) continue;
    const url = file === 'index.html' ? '/' : `/page/${file}`;
    serveFile(app, url, { content: readFileSync(join(ROOT, file)), type, headers: HEADERS });
  }
};
