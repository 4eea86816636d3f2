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
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Seine: HTTP interface</title>
<link rel="icon" href="page/icon.svg">
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="stylesheet" href="docs/docs.css">
<body>
<nav><a href="./">Search with Seine</a></nav>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
`;

/** Swagger UI's own colours are too pale on white for many readers (WCAG AA asks for a contrast of 4.5). */
const STYLE = `nav {
  max-width: 1460px;
  margin: 0 auto;
  padding: 1rem 20px 0;
  font: 1rem / 1.5 system-ui, sans-serif;
}
nav a { color: #1b5fa8; }
html.dark-mode nav a { color: #7db8ff; }
html:not(.dark-mode) .swagger-ui .opblock-post .opblock-summary-method { background: #18774d; }
html:not(.dark-mode) .swagger-ui .opblock-get .opblock-summary-method { background: #1b5fa8; }
html:not(.dark-mode) .swagger-ui .opblock-delete .opblock-summary-method { background: #b3261e; }
html:not(.dark-mode) .swagger-ui .info .title small { background: #565c68; }
html:not(.dark-mode) .swagger-ui .info .title small.version-stamp { background: #4a6a00; }
html:not(.dark-mode) .swagger-ui .info .title small pre { background: none; }
html:not(.dark-mode) .swagger-ui .info .link .url { color: #1b5fa8; }
html:not(.dark-mode) .swagger-ui .btn.authorize { border-color: #18774d; color: #18774d; }
html:not(.dark-mode) .swagger-ui .btn.authorize svg { fill: #18774d; }
html:not(.dark-mode) .swagger-ui .btn.cancel { border-color: #b3261e; color: #b3261e; }
html:not(.dark-mode) .swagger-ui .btn.execute { background: #1b5fa8; border-color: #1b5fa8; }
html:not(.dark-mode) .swagger-ui .response-undocumented { color: inherit; }
html .swagger-ui .btn { transition: none; }
html.dark-mode .swagger-ui .btn.execute { background: #7db8ff; border-color: #7db8ff; color: #0b1415; }
html.dark-mode .swagger-ui .opblock .opblock-section-header .btn.try-out__btn.cancel { border-color: #ff9a9a; color: #ff9a9a; }
html .swagger-ui .download-contents { background: #4c5162; color: #fff; }
`;

/** Links within buttons would be reached twice, and what scrolls or is filled in must be reached and named. */
const START = `const dark = matchMedia('(prefers-color-scheme: dark)');
const shade = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', shade);
shade();
new MutationObserver(() => {
  for (const code of document.querySelectorAll('pre.microlight:not([tabindex])')) code.tabIndex = 0;
  for (const body of document.querySelectorAll('.body-param__text:not([aria-label])')) body.ariaLabel = 'Body';
}).observe(document.getElementById('swagger-ui'), { childList: true, subtree: true });
SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  syntaxHighlight: { theme: 'obsidian' },
  validatorUrl: null,
  plugins: [{ components: { DeepLink: ({ text }) => text } }],
});
`;

/** `GET /openapi.json` and the document rendered at `/docs`. It is the same on every server and holds no data. */
export const docsRoutes: FastifyPluginAsync = async (app) => {
  app.get('/openapi.json', { schema: { hide: true }, config: { access: 'open' } }, () => app.swagger());
  const add = (url: string, content: Buffer, type: string): void =>
    serveFile(app, url, { content, type, headers: HEADERS });
  add('/docs', Buffer.from(PAGE), 'text/html; charset=utf-8');
  add('/docs/docs.css', Buffer.from(STYLE), FILES['swagger-ui.css']);
  add('/docs/start.js', Buffer.from(START), FILES['swagger-ui-bundle.js']);
  const { resolve } = createRequire(import.meta.url);
  for (const [file, type] of Object.entries(FILES)) {
    add(`/docs/${file}`, readFileSync(resolve(`@fastify/swagger-ui/static/${file}`)), type);
  }
};
