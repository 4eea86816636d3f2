import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { hostNames, isLoopback } from '../../ts/serve/hosts.ts';
import { KeyRing } from '../../ts/serve/keys.ts';
import { ask, startServer, type TestServer } from './harness.ts';
import { exchange, parseAnswer } from './sockets.ts';

const folder = mkdtempSync(join(tmpdir(), 'seine-keys-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const READER = 'reader-secret-0001';
const WRITER = 'writer-secret-0002';
const BATCH = 'batch-secret-00003';
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const bearer = (key: string): RequestInit => ({ headers: { authorization: `Bearer ${key}` } });

describe('API keys', () => {
  let server: TestServer;
  const lines: string[] = [];
  beforeAll(async () => {
    writeFileSync(join(folder, 'writer'), `${WRITER}\n`);
    const keys = [
      { name: 'reader', key: READER },
      { name: 'writer', key: `file:${join(folder, 'writer')}`, write: true },
      { name: 'batch', key: `sha256:${sha256(BATCH)}`, workloads: ['bulk', 'judge'] },
    ];
    server = await startServer({ keys, logLevel: 'info' }, { log: { write: (line) => lines.push(line) } });
  });
  afterAll(() => server.close());

  const search = (headers: Record<string, string>) =>
    ask(
      `${server.url}/search`,
      { query: 'nurse' },
      { headers: { 'content-type': 'application/json', ...headers } },
    );

  test('without one 401 tells how to send it', async () => {
    const { status, headers, body } = await search({});
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toBe('Bearer realm="seine"');
    expect(body.error).toMatchObject({
      code: 'ERR_UNAUTHORIZED',
      message: expect.stringContaining('X-Api-Key'),
    });
  });

  test.each<[string, Record<string, string>]>([
    ['another', { authorization: 'Bearer not-the-secret-0' }],
    ['a prefix', { authorization: `Bearer ${READER.slice(0, -1)}` }],
    ['the hash itself', { authorization: `Bearer sha256:${sha256(BATCH)}` }],
    ['nothing', { 'x-api-key': '' }],
  ])('%s is not known', async (_, headers) => {
    const { status, headers: answered, body } = await search(headers);
    expect(status).toBe(401);
    expect(answered.get('www-authenticate')).toContain('invalid_token');
    expect(body.error.code).toBe('ERR_UNAUTHORIZED');
  });

  test.each<[string, Record<string, string>]>([
    ['as Bearer', { authorization: `Bearer ${READER}` }],
    ['as bearer', { authorization: `bearer ${READER}` }],
    ['in X-Api-Key', { 'x-api-key': READER }],
    ['from a file', { 'x-api-key': WRITER }],
    ['by its hash', { 'x-api-key': BATCH }],
  ])('a known one is taken %s', async (_, headers) => {
    expect((await search(headers)).status).toBe(200);
  });

  test('only a key that may write changes the index', async () => {
    const upsert = (key: string) =>
      ask(`${server.url}/documents`, [{ id: 'a', text: 'x' }], {
        headers: { 'content-type': 'application/json', 'x-api-key': key },
      });
    const refused = await upsert(READER);
    expect(refused.status).toBe(403);
    expect(refused.body.error.message).toContain('"reader"');
    expect((await upsert(WRITER)).status).toBe(200);
    const remove = (key: string) =>
      ask(`${server.url}/documents/a`, undefined, { method: 'DELETE', headers: { 'x-api-key': key } });
    expect((await remove(READER)).status).toBe(403);
    expect((await remove(WRITER)).body.deleted).toBe(1);
    const several = await ask(
      `${server.url}/documents/delete`,
      { ids: ['a'] },
      {
        headers: { 'content-type': 'application/json', 'x-api-key': READER },
      },
    );
    expect(several.status).toBe(403);
  });

  test('workloads are those of the key, the first by default', async () => {
    expect((await search({ 'x-api-key': BATCH })).body.workload).toBe('bulk');
    expect((await search({ 'x-api-key': BATCH, 'x-seine-workload': 'judge' })).body.workload).toBe('judge');
    expect((await search({ 'x-api-key': READER, 'x-seine-workload': 'judge' })).body.workload).toBe('judge');
    const forbidden = await search({ 'x-api-key': BATCH, 'x-seine-workload': 'interactive' });
    expect(forbidden.status).toBe(403);
    expect(forbidden.body.error.message).toContain('bulk, judge');
    const unknown = await search({ 'x-api-key': READER, 'x-seine-workload': 'none' });
    expect(unknown.status).toBe(400);
    expect(unknown.body.error.message).toContain('interactive, bulk, judge');
  });

  test('what holds no data is open, the rest is not', async () => {
    for (const path of ['/', '/healthz', '/readyz', '/docs', '/openapi.json']) {
      expect([path, (await fetch(server.url + path)).status]).toEqual([path, 200]);
    }
    for (const path of ['/metrics', '/info', '/documents/a', '/search?q=x', '/nowhere']) {
      expect([path, (await fetch(server.url + path)).status]).toEqual([path, 401]);
    }
    expect((await fetch(`${server.url}/metrics`, bearer(READER))).status).toBe(200);
  });

  test('a body is refused before it is read', async () => {
    const head = 'POST /documents HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n';
    const socket = exchange(server.url, `${head}Content-Length: 1000000\r\nConnection: close\r\n\r\n{`);
    expect(parseAnswer(await socket).status).toBe(401);
  });

  test('the log names the key and never shows it', () => {
    const text = lines.join('');
    expect(text).toContain('"key":"reader"');
    for (const secret of [READER, WRITER, BATCH, sha256(BATCH)]) expect(text).not.toContain(secret);
  });
});

describe('key ring', () => {
  const ring = (...keys: string[]): KeyRing =>
    new KeyRing(keys.map((key, i) => ({ name: `k${i}`, key, write: false })));

  test.each<[RegExp, string[]]>([
    [
      /^The key "k0" must have 16 characters or more, all of them ASCII and none of them white space\.$/,
      ['short'],
    ],
    [/none of them white space/, ['sixteen letters and spaces']],
    [/all of them ASCII/, ['schlüssel-der-lang-ist']],
    [/64 lower-case hexadecimal digits/, ['sha256:abc']],
    [/cannot be read: correct its path/, [`file:${join(folder, 'none')}`]],
    [/^The keys "k0" and "k1" are the same/, [READER, `sha256:${sha256(READER)}`]],
  ])('refuses %p', (message, keys) => {
    expect(() => ring(...keys)).toThrow(message);
  });

  test('says nothing of the secret', () => {
    const refused = (): KeyRing => ring('secret');
    expect(refused).toThrow(expect.objectContaining({ message: expect.not.stringContaining('secret') }));
  });
});

describe('the Host header', () => {
  const asked = async (server: TestServer, host: string, path = '/search?q=x') =>
    parseAnswer(
      await exchange(server.url, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    );

  test('without keys only this machine and allowed names are answered', async () => {
    const server = await startServer({ allowedHosts: ['search.example', 'other.example:8443'] });
    try {
      const { port } = new URL(server.url);
      const served = ['localhost', '127.0.0.1', '[::1]', `LOCALHOST:${port}`, `[::1]:${port}`];
      for (const host of [...served, 'search.example', 'search.example:80', 'other.example:8443']) {
        expect([host, (await asked(server, host)).status]).toEqual([host, 200]);
      }
      const foreign = [
        'evil.example',
        'localhost.evil.example',
        'other.example',
        '127.0.0.1.evil.example',
        '',
      ];
      for (const host of foreign) {
        const { status, body } = await asked(server, host);
        expect([host, status]).toEqual([host, 403]);
        expect(body).toMatchObject({ error: { code: 'ERR_FORBIDDEN' } });
      }
      expect((await asked(server, '10.0.0.7:8080', '/healthz')).status).toBe(200);
    } finally {
      await server.close();
    }
  });

  test('no other origin may read answers or post forms', async () => {
    const server = await startServer();
    try {
      const headers = { origin: 'http://evil.example', 'content-type': 'text/plain' };
      const posted = await ask(`${server.url}/documents`, [{ id: 'a', text: 'x' }], { headers });
      expect(posted.status).toBe(415);
      expect(posted.headers.get('access-control-allow-origin')).toBeNull();
      expect(posted.headers.get('cross-origin-resource-policy')).toBe('same-origin');
      const preflight = await fetch(`${server.url}/documents`, { method: 'OPTIONS', headers });
      expect(preflight.status).toBe(404);
    } finally {
      await server.close();
    }
  });

  test('names with and without port', () => {
    expect(hostNames('LocalHost:80')).toEqual(['localhost:80', 'localhost']);
    expect(hostNames('[::1]')).toEqual(['[::1]', '[::1]']);
    expect(hostNames(undefined)).toEqual(['', '']);
  });

  test.each([
    ['127.0.0.1', true],
    ['127.8.9.10', true],
    ['::1', true],
    ['localhost', true],
    ['0.0.0.0', false],
    ['::', false],
    ['192.168.1.2', false],
    ['127.evil.example', false],
  ])('%s is loopback: %p', (host, loopback) => {
    expect(isLoopback(host)).toBe(loopback);
  });
});
