import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Document, FilterExpression } from '../../ts/core/types.ts';
import { open } from '../../ts/open.ts';
import type { SeineIndex } from '../../ts/seineIndex.ts';

const folder = mkdtempSync(join(tmpdir(), 'seine-flow-'));
let file = 0;
let path: string;
let index: SeineIndex;

const jobs: Document[] = [
  {
    id: 'a1',
    title: 'TypeScript engineer',
    text: 'Build web services with Node.js, from home.',
    attributes: { city: 'Zurich', remote: true, salary: 120000 },
  },
  {
    id: 'a2',
    title: 'Baker',
    text: 'Bake bread and rolls at night.',
    attributes: { city: 'Bern', remote: false, salary: 60000 },
  },
  {
    id: 'a3',
    title: 'Nurse',
    text: 'Care for patients in a hospital ward.',
    attributes: { city: 'Bern', remote: false, salary: 80000 },
  },
  {
    id: 'a4',
    title: 'Remote sensing scientist',
    text: 'Analyse satellite images of glaciers.',
    attributes: { remote: true },
  },
  { id: 'a5', text: '', attributes: {} },
];

const ids = (hits: { id: string }[]) => hits.map(({ id }) => id);

beforeEach(async () => {
  path = join(folder, `${file++}.seine`);
  index = await open(path);
});
afterEach(() => index.close());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('an index', () => {
  test('finds, ranks and explains', async () => {
    expect(await index.upsert(jobs)).toMatchObject({ inserted: 5, updated: 0, unchanged: 0 });
    const { hits, timings, ranked, generation } = await index.search('programmer who writes TypeScript', {
      k: 3,
    });
    expect(hits[0]).toMatchObject({
      id: 'a1',
      rank: 1,
      title: 'TypeScript engineer',
      attributes: { city: 'Zurich' },
    });
    expect(hits[0]!.scores).toMatchObject({
      dense: expect.any(Number),
      bm25: expect.any(Number),
      fused: expect.any(Number),
      ranker: expect.any(Number),
    });
    expect(ranked).toBe(5);
    expect(generation).toBeGreaterThan(0);
    expect(timings.total).toBeGreaterThan(0);
  });

  test('filters before it searches, never after', async () => {
    await index.upsert(jobs);
    const search = async (filter: FilterExpression) => ids((await index.search('bread', { filter })).hits);
    expect((await search({ eq: ['city', 'Bern'] })).sort()).toEqual(['a2', 'a3']);
    expect(await search({ and: [{ eq: ['remote', true] }, { gte: ['salary', 100000] }] })).toEqual(['a1']);
    expect(await search({ eq: ['city', 'Rome'] })).toEqual([]);
    await expect(search({ eq: ['town', 'Rome'] })).rejects.toMatchObject({ code: 'ERR_FILTER' });
    await expect(search({ equals: 1 } as never)).rejects.toMatchObject({ code: 'ERR_FILTER' });
  });

  test('answers empty queries, empty indexes and k beyond the end', async () => {
    expect((await index.search('anything')).hits).toEqual([]);
    expect((await index.search('')).hits).toEqual([]);
    await index.upsert(jobs.slice(0, 1));
    expect((await index.search(' \n ')).hits).toEqual([]);
    expect(ids((await index.search('zzz', { k: 1000 })).hits)).toEqual(['a1']);
    expect(await index.searchMany([])).toEqual([]);
    const two = await index.searchMany(['', 'web services']);
    expect(two.map(({ hits }) => hits.length)).toEqual([0, 1]);
  });

  test('pages agree with one long list', async () => {
    await index.upsert(jobs);
    const all = ids((await index.search('work with people', { k: 5 })).hits);
    const pages = [];
    for (let offset = 0; offset < 6; offset += 2) {
      pages.push(...ids((await index.search('work with people', { k: 2, offset })).hits));
    }
    expect(pages).toEqual(all);
    expect(all.length).toBe(5);
  });

  test('counts facets over what passes the filter', async () => {
    await index.upsert(jobs);
    const { facets } = await index.search('job', { facets: ['city'], filter: { exists: ['salary'] } });
    expect(facets).toEqual({
      city: [
        { value: 'Bern', count: 2 },
        { value: 'Zurich', count: 1 },
      ],
    });
  });

  test('counts members of sets and booleans; what cannot be counted is refused', async () => {
    await index.upsert([
      { id: 'a', text: 'bread', attributes: { tags: ['food', 'warm'], open: true, price: 3 } },
      { id: 'b', text: 'ice', attributes: { tags: ['food'], open: false } },
      { id: 'c', text: 'a stone', attributes: { tags: [] } },
    ]);
    const { facets } = await index.search('food', { k: 1, facets: ['tags', 'open'] });
    expect(facets).toEqual({
      tags: [
        { value: 'food', count: 2 },
        { value: 'warm', count: 1 },
      ],
      open: [
        { value: false, count: 1 },
        { value: true, count: 1 },
      ],
    });
    for (const name of ['price', 'colour']) {
      await expect(index.search('food', { facets: [name] })).rejects.toMatchObject({
        code: 'ERR_FILTER',
        message: expect.stringContaining(name),
      });
    }
    expect((await index.search('', { facets: ['open'] })).facets?.open).toHaveLength(2);
  });

  test('a write is visible to the next search, and unchanged documents cost nothing', async () => {
    await index.upsert(jobs);
    expect(await index.upsert(jobs)).toMatchObject({ inserted: 0, updated: 0, unchanged: 5, tokens: 0 });
    await index.upsert([{ id: 'a2', title: 'Astronaut', text: 'Fly to the moon.' }]);
    expect((await index.search('moon flight')).hits[0]).toMatchObject({
      id: 'a2',
      title: 'Astronaut',
      attributes: {},
    });
    expect(await index.get('a2')).toMatchObject({ title: 'Astronaut' });
    expect(await index.delete(['a2', 'nobody'])).toMatchObject({ deleted: 1 });
    expect(ids((await index.search('moon flight')).hits)).not.toContain('a2');
    expect(await index.get('a2')).toBeUndefined();
  });

  test('searches during writes see whole documents and no stale ones', async () => {
    await index.upsert(jobs);
    const writes = (async () => {
      for (let i = 0; i < 15; i++) {
        await index.upsert([{ id: 'a2', title: 'Baker', text: `Bake bread and rolls, version ${i}.` }]);
      }
    })();
    for (let i = 0; i < 15; i++) {
      const found = ids((await index.search('bake bread', { depth: 0 })).hits);
      expect(found.filter((id) => id === 'a2')).toEqual(['a2']);
      expect(new Set(found).size).toBe(found.length);
    }
    await writes;
    expect((await index.search('bread')).hits[0]!.snippet).toContain('version 14');
  });

  test('survives closing; another model, or another shape, is refused with the remedy', async () => {
    await index.upsert(jobs);
    const before = ids((await index.search('hospital')).hits);
    await index.close();
    index = await open(path);
    expect(ids((await index.search('hospital')).hits)).toEqual(before);
    await index.close();
    await expect(open(path, { passages: true })).rejects.toMatchObject({ code: 'ERR_MODEL_MISMATCH' });
    await expect(open(path, { embedder: 'no-such-model' })).rejects.toMatchObject({ code: 'ERR_MODEL' });
    await expect(index.search('x')).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    index = await open(path, { ranker: 'none' });
    expect((await index.search('hospital')).hits[0]).toMatchObject({ id: 'a3' });
  });

  test('a second process may read while one writes, a second writer may not', async () => {
    await index.upsert(jobs.slice(0, 2));
    await expect(open(path)).rejects.toMatchObject({ code: 'ERR_LOCKED' });
    const reader = await open(path, { readonly: true });
    try {
      await index.upsert(jobs);
      expect((await reader.search('hospital')).hits[0]).toMatchObject({ id: 'a3' });
      await expect(reader.upsert(jobs)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    } finally {
      await reader.close();
    }
  });

  test('a deadline ends ranking, not retrieval', async () => {
    await index.upsert(jobs);
    const { hits, ranked } = await index.search('bread', { deadlineMs: 0 });
    expect(ranked).toBe(0);
    expect(hits.length).toBe(5);
  });

  test('abort rejects with its reason', async () => {
    await index.upsert(jobs);
    const reason = new Error('the user left');
    await expect(index.search('bread', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const searching = index.search('bread', { signal: controller.signal });
    controller.abort(reason);
    await expect(searching).rejects.toBe(reason);
  });

  test('a query of ten megabytes and one of broken characters are answered', async () => {
    await index.upsert(jobs);
    const long = await index.search('bread and rolls '.repeat(650_000));
    expect([long.hits.length, long.queryTruncated]).toEqual([5, true]);
    const two = await index.searchMany(['bread and rolls '.repeat(100), 'rolls'], { depth: 0 });
    expect(two.map(({ queryTruncated }) => queryTruncated)).toEqual([true, false]);
    expect((await index.search('\ud800 bread \udfff\u0000')).hits.length).toBe(5);
  });

  test.each<[string, unknown]>([
    ['k', { k: 0 }],
    ['k', { k: 1.5 }],
    ['offset', { offset: -1 }],
    ['depth', { depth: Number.NaN }],
    ['retrieve', { retrieve: 'magic' }],
    ['facets', { facets: 'city' }],
    ['deadlineMs', { deadlineMs: -1 }],
    ['deadlineMs', { deadlineMs: '100' }],
    ['signal', { signal: {} }],
    ['option "limit"', { limit: 3 }],
  ])('a wrong %s is refused by name', async (name, options) => {
    await expect(index.search('x', options as never)).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringContaining(name),
    });
  });

  test('one bad document stores none', async () => {
    const bad = [...jobs, { id: 'bad', text: 7 } as never];
    await expect(index.upsert(bad)).rejects.toMatchObject({ code: 'ERR_DATA' });
    expect((await index.info()).documents).toBe(0);
  });
});
