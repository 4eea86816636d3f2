import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { FastifyPluginAsync } from 'fastify';
import { serveFile } from '../staticFile.ts';

/**
 * Swagger UI's own files. The plugin around them would serve them by a library that Node.js 20.17 cannot load, and its
 * page asks for the document under a second name.
 */
const FILES = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
} as const;

/** Swagger UI brings pictures as data. */
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
  ].join('; '),
};

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Seine: HTTP interface</title>
<link rel="icon" href="page/icon.svg">
<link rel="stylesheet" href="docs/swagger-ui.css">
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
`;

const START = `SwaggerUIBundle({ url: 'openapi.json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null });
`;

/** `GET /openapi.json` and the document rendered at `/docs`. It is the same on every server and holds no data. */
export const docsRoutes: FastifyPluginAsync = async (app) => {
  app.get('/openapi.json', { schema: { hide: true }, config: { access: 'open' } }, () => app.swagger());
  const add = (url: string, content: Buffer, type: string): void =>
    serveFile(app, url, { content, type, headers: HEADERS });
  add('/docs', Buffer.from(PAGE), 'text/html; charset=utf-8');
  add('/docs/start.js', Buffer.from(START), FILES['swagger-ui-bundle.js']);
  const { resolve } = createRequire(import.meta.url);
  for (const [file, type] of Object.entries(FILES)) {
    add(`/docs/${file}`, readFileSync(resolve(`@fastify/swagger-ui/static/${file}`)), type);
  }
};
