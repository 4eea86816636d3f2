import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';

const DESCRIPTION = `Exact semantic search over HTTP.

Errors have one shape: \`{ "error": { "code", "message", "requestId" } }\`. \`429\` and \`503\` come with \
\`Retry-After\`. Every answer bears \`x-request-id\`: the caller's own, if it is of up to 64 letters, digits, \`-\` and \
\`_\`. The header \`x-seine-workload\` chooses a class of work that the key may use.`;

const TAGS = [
  { name: 'search', description: 'Find and rank.' },
  { name: 'documents', description: 'Upsert, get and delete.' },
  { name: 'dialects', description: 'What clients of other services speak.' },
  { name: 'service', description: 'Health, metrics and what is served.' },
];

const KEYED = [{ bearer: [] }, { header: [] }];

/** Gathers the OpenAPI document from the schemas of all routes that are registered later. */
export async function addOpenApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Seine', version, description: DESCRIPTION, license: { name: 'Apache-2.0' } },
      tags: TAGS,
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'An API key, where the server has keys.' },
          header: { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'The same.' },
        },
      },
    },
    transform: ({ schema, url, route }) => {
      const open = route.config?.access === 'open';
      return { schema: { ...schema, security: open ? [] : KEYED }, url };
    },
  });
}
