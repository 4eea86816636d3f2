import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ask, startServer, type TestServer } from './harness.ts';

const guide = readFileSync(fileURLToPath(new URL('../../docs/serving.md', import.meta.url)), 'utf8');

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

test('the guide explains every metric of Seine, and none that there is not', async () => {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const served = [...text.matchAll(/^# TYPE (seine_\w+)/gm)].map(([, name]) => name);
  const explained = [...guide.matchAll(/`(seine_\w+)`/g)].map(([, name]) => name);
  expect([...new Set(explained)].sort()).toEqual([...new Set(served)].sort());
});

test('the guide names every route', async () => {
  const { body } = await ask(`${server.url}/openapi.json`);
  const missing = Object.keys(body.paths).filter((path) => {
    const [, head] = /^(\/[^{]*?)\/?(?:\{.*)?$/.exec(path)!;
    return !guide.includes(`${head}`);
  });
  expect(Object.keys(body.paths).length).toBeGreaterThan(15);
  expect(missing).toEqual([]);
});
