import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startServer, type TestServer } from '../harness.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.close());

describe('the page', () => {
  test('comes with its type, a strict policy and an ETag of its content', async () => {
    const response = await fetch(server.url);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-cache');
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toContain('unsafe');
    const etag = response.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\w-]{43}"$/);
    const again = await fetch(server.url, { headers: { 'if-none-match': `"other", W/${etag}` } });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe('');
  });

  test('all that it names is served with its type, and nothing else is named', async () => {
    const html = await (await fetch(server.url)).text();
    const named = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]!);
    const files = named.filter((name) => name.startsWith('page/'));
    expect(new Set(named)).toEqual(new Set([...files, './', 'docs']));
    const types = await Promise.all(
      files.map(async (file) => {
        const response = await fetch(new URL(file, `${server.url}/`));
        expect(response.status).toBe(200);
        expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
        return response.headers.get('content-type');
      }),
    );
    expect(types).toEqual(['image/svg+xml', 'text/css; charset=utf-8', 'text/javascript; charset=utf-8']);
  });

  test('other files beside it are not served', async () => {
    for (const path of ['/page/', '/page/index.html', '/page/..%2fserve.js', '/page/tsconfig.json']) {
      expect((await fetch(`${server.url}${path}`)).status).toBe(404);
    }
  });
});
