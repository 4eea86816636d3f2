import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ask, DOCUMENTS, type Json, startServer, type TestServer } from './harness.ts';

/** Values of a metric by its labels, as they stand in the text format. */
function valuesOf(text: string, name: string): Record<string, number> {
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(name.length, at), Number(line.slice(at + 1))];
    }),
  );
}

const SECRET = 'a-secret-key-00001';

describe('what a server tells of itself', () => {
  const lines: string[] = [];
  let server: TestServer;
  let other: TestServer;
  const headers = { 'content-type': 'application/json', 'x-api-key': SECRET };
  const metricsOf = async ({ url }: TestServer): Promise<string> =>
    (await fetch(`${url}/metrics`, { headers: { 'x-api-key': SECRET } })).text();

  beforeAll(async () => {
    const keys = [{ name: 'app', key: SECRET, write: true }];
    const log = { write: (line: string) => lines.push(line) };
    server = await startServer({ keys, logLevel: 'debug' }, { log });
    other = await startServer({ keys });
    await ask(`${server.url}/documents`, DOCUMENTS, { headers });
    for (let i = 0; i < 2; i++) await ask(`${server.url}/search`, { query: 'hidden question' }, { headers });
    await fetch(`${server.url}/search?q=hidden&filter=nonsense`, { headers });
  });
  afterAll(async () => {
    await server.close();
    await other.close();
  });

  test('metrics of requests, stages, work, ranking, cache and index', async () => {
    const text = await metricsOf(server);
    expect(valuesOf(text, 'seine_http_request_duration_seconds_count')).toEqual({
      '{method="POST",route="/documents",status="200"}': 1,
      '{method="POST",route="/search",status="200"}': 2,
      '{method="GET",route="/search",status="400"}': 1,
    });
    expect(valuesOf(text, 'seine_http_requests_in_flight')).toEqual({ '': 1 });
    const stages = valuesOf(text, 'seine_stage_duration_seconds_count');
    for (const stage of ['understand', 'retrieve', 'rank', 'respond']) {
      expect(stages[`{stage="${stage}",workload="interactive"}`]).toBe(2);
    }
    expect(stages['{stage="wait",workload="interactive"}']).toBeGreaterThanOrEqual(2);
    expect(valuesOf(text, 'seine_ranked_documents_total')).toEqual({ '{workload="interactive"}': 8 });
    expect(valuesOf(text, 'seine_score_cache_hits_total')['{kind="shared",tier="memory"}']).toBe(4);
    expect(valuesOf(text, 'seine_score_cache_entries')['{kind="shared",tier="memory"}']).toBe(4);
    expect(valuesOf(text, 'seine_work_completed_total')['{workload="interactive"}']).toBe(2);
    expect(valuesOf(text, 'seine_work_admitted_total')['{workload="bulk"}']).toBeGreaterThanOrEqual(1);
    expect(valuesOf(text, 'seine_work_running')['{workload="interactive"}']).toBe(0);
    expect(valuesOf(text, 'seine_search_depth')).toEqual({ '{workload="interactive"}': 50 });
    expect(valuesOf(text, 'seine_index_documents')).toEqual({ '': 4 });
    expect(valuesOf(text, 'seine_index_generation')['']).toBeGreaterThanOrEqual(1);
    expect(Object.keys(valuesOf(text, 'nodejs_eventloop_lag_p99_seconds'))).toEqual(['']);
  });

  test('servers of one process have their own', async () => {
    const text = await metricsOf(other);
    expect(valuesOf(text, 'seine_http_request_duration_seconds_count')).toEqual({});
    expect(valuesOf(text, 'seine_index_documents')).toEqual({ '': 0 });
    expect(valuesOf(text, 'process_resident_memory_bytes')['']).toBeGreaterThan(0);
  });

  test('names follow the conventions, and each metric has its help', async () => {
    const text = await metricsOf(server);
    const types = [...text.matchAll(/^# TYPE (seine_\S+) (\S+)$/gm)];
    expect(types.length).toBeGreaterThan(20);
    for (const [, name, type] of types) {
      expect(name).toMatch(/^seine_[a-z0-9_]+$/);
      expect([name, name?.endsWith('_total')]).toEqual([name, type === 'counter']);
      expect(name).not.toMatch(/_(?:ms|milliseconds)\b/);
      expect(text).toMatch(new RegExp(`^# HELP ${name} [A-Z].*\\.$`, 'm'));
    }
  });

  test('each request has one line, without anything of what was asked', () => {
    const access = lines.map((line) => JSON.parse(line) as Json).filter(({ msg }) => msg === 'request');
    expect(access[0]).toMatchObject({
      level: 30,
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      method: 'POST',
      route: '/documents',
      status: 200,
      ms: expect.any(Number),
      workload: 'bulk',
      key: 'app',
    });
    expect(access[1]).toMatchObject({ route: '/search', workload: 'interactive' });
    expect(access[3]).toMatchObject({ method: 'GET', status: 400, failure: 'ERR_FILTER' });
    expect(lines.map((line) => JSON.parse(line) as Json)).toContainEqual(
      expect.objectContaining({ msg: 'request begins', path: '/search' }),
    );
    const text = lines.join('');
    for (const word of ['hidden', 'nonsense', 'nurse', SECRET]) expect(text).not.toContain(word);
  });
});
