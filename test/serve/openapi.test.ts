import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { ask, type Json, startServer, type TestServer } from './harness.ts';

let server: TestServer;
let document: Json;
beforeAll(async () => {
  server = await startServer();
  document = (await ask(`${server.url}/openapi.json`)).body;
});
afterAll(() => server.close());

interface Operation {
  name: string;
  operation: Json;
}

const operations = (): Operation[] =>
  Object.entries(document.paths as Record<string, Json>).flatMap(([path, methods]) =>
    Object.entries(methods as Json).map(([method, operation]) => ({ name: `${method} ${path}`, operation })),
  );

/** Every schema of the document: of bodies, parameters and answers. */
function schemas(): { name: string; schema: Json }[] {
  return operations().flatMap(({ name, operation }) => {
    const { parameters = [], requestBody, responses } = operation;
    const bodies = [requestBody, ...Object.values(responses)].flatMap((part: Json) =>
      Object.values(part?.content ?? {}),
    );
    return [...parameters, ...bodies].map(({ schema }: Json) => ({ name, schema }));
  });
}

describe('the OpenAPI document', () => {
  test('says what it is', () => {
    expect(document.openapi).toMatch(/^3\.1\.\d+$/);
    expect(document.info).toMatchObject({
      title: 'Seine',
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    });
    expect(Object.keys(document.components.securitySchemes)).toEqual(['bearer', 'header']);
  });

  test('has all routes', () => {
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining([
        '/search',
        '/documents',
        '/documents/{id}',
        '/documents/delete',
        '/rank',
        '/info',
        '/healthz',
        '/readyz',
        '/metrics',
        '/openai/v1/embeddings',
        '/cohere/v2/rerank',
        '/jina/v1/rerank',
        '/tei/embed',
        '/tei/rerank',
      ]),
    );
  });

  test('every operation has a summary, a known tag, answers with descriptions and says whether it needs a key', () => {
    const tags = document.tags.map(({ name }: Json) => name);
    for (const { name, operation } of operations()) {
      expect([name, operation.summary]).toEqual([name, expect.stringMatching(/^[A-Z]/)]);
      expect([name, operation.tags]).toEqual([name, [expect.any(String)]]);
      expect(tags).toContain(operation.tags[0]);
      expect([name, operation.responses[200]]).toEqual([name, expect.anything()]);
      for (const response of Object.values(operation.responses)) {
        expect((response as Json).description).toEqual(expect.any(String));
      }
      expect([name, operation.security]).toEqual([name, expect.any(Array)]);
    }
  });

  test('path parameters are those of the path', () => {
    for (const { name, operation } of operations()) {
      const inPath = [...name.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
      const declared = (operation.parameters ?? []).filter(({ in: place }: Json) => place === 'path');
      expect(declared.map((parameter: Json) => [parameter.name, parameter.required])).toEqual(
        inPath.map((parameter) => [parameter, true]),
      );
    }
  });

  test('every schema is one of JSON Schema 2020-12, and refers to nothing that is missing', () => {
    const ajv = new Ajv2020({ strict: false });
    const all = schemas();
    expect(all.length).toBeGreaterThan(20);
    for (const { name, schema } of all) {
      expect([name, ajv.validateSchema(schema), ajv.errorsText()]).toEqual([name, true, 'No errors']);
      const refs = [...JSON.stringify(schema).matchAll(/"\$ref":"([^"]+)"/g)];
      for (const [, ref] of refs) {
        const target = ref!
          .replace(/^#\//, '')
          .split('/')
          .reduce((part: Json, key) => part?.[key], document);
        expect([name, ref, target]).toEqual([name, ref, expect.anything()]);
      }
    }
  });

  test('examples of bodies are valid', () => {
    const ajv = new Ajv2020({ strict: false });
    for (const { name, schema } of schemas()) {
      for (const example of schema.examples ?? []) {
        expect([name, ajv.validate(schema, example), ajv.errorsText()]).toEqual([name, true, 'No errors']);
      }
    }
  });
});

describe('the rendered document', () => {
  test('loads nothing from elsewhere, and all that it names is served', async () => {
    const response = await fetch(`${server.url}/docs`);
    expect(response.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; script-src 'self';/,
    );
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
    const html = await response.text();
    const named = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, name]) => name!);
    expect(named.length).toBeGreaterThan(3);
    for (const name of named) {
      expect(name).not.toMatch(/^\w+:|^\/\//);
      expect((await fetch(new URL(name, `${server.url}/docs`))).status).toBe(200);
    }
  });
});
