import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Explanation, FilterClause } from '../../ts/core/explanation.ts';
import type { Document, FilterExpression, RetrieveMode } from '../../ts/core/types.ts';
import { open } from '../../ts/open.ts';
import type { SeineIndex } from '../../ts/seineIndex.ts';
import { freshPath, ids } from './setup.ts';

// Descriptions of things, and sections of this repository's own documents, some longer than the ranker reads.
const descriptions = readFileSync('test/wordnet/queries.jsonl', 'utf8')
  .trim()
  .split('\n')
  .map((line) => String((JSON.parse(line) as { text: unknown }).text));
const sections = ['README.md', 'CONTRIBUTING.md', 'kernels/README.md', 'test/wordnet/README.md'].flatMap(
  (file) => readFileSync(file, 'utf8').split(/\n(?=#)/),
);
const documents: Document[] = [...descriptions, ...sections].map((text, i) => ({
  id: `d${i}`,
  ...(i >= descriptions.length && { title: text.split('\n')[0]! }),
  text,
  attributes: {
    kind: i < descriptions.length ? 'description' : 'section',
    length: text.length,
    ...(i % 3 === 0 && { tags: i % 2 === 0 ? ['even', 'third'] : ['third'] }),
    ...(i % 5 > 0 && { added: new Date(Date.UTC(2026, 0, 1 + (i % 28))) }),
  },
}));
const words = [...new Set(descriptions.join(' ').match(/\w+/g))];

const query = fc
  .array(fc.oneof(fc.constantFrom(...words), fc.constantFrom('exact', 'über', 'CUDA', 'zzyzx')), {
    minLength: 1,
    maxLength: 6,
  })
  .map((list) => list.join(' '));
const filter: fc.Arbitrary<FilterExpression | undefined> = fc.constantFrom<(FilterExpression | undefined)[]>(
  undefined,
  { eq: ['kind', 'section'] },
  { and: [{ gt: ['length', 60] }, { not: { exists: 'tags' } }] },
  { or: [{ in: ['tags', ['even']] }, { gte: ['added', '2026-01-20'] }] },
);

let index: SeineIndex;
beforeAll(async () => {
  index = await open(freshPath(), { passages: true });
  await index.upsert(documents);
});
afterAll(() => index.close());

/** Everything that passes the filter, in the order of one way of retrieval. */
const whole = async (text: string, retrieve: RetrieveMode, where?: FilterExpression) =>
  (await index.search(text, { retrieve, filter: where, k: documents.length, depth: 0 })).hits;

describe('an explanation', () => {
  test.each<RetrieveMode>(['dense', 'bm25', 'fused'])(
    'of every hit has the rank and the scores of the search (%s)',
    async (retrieve) => {
      const depth = fc.constantFrom(0, 1, 7, 20, 130);
      const page = fc.constantFrom({ k: 6 }, { k: 3, offset: 5 }, { k: 120, offset: 0 });
      await fc.assert(
        fc.asyncProperty(query, filter, depth, page, async (text, where, depth, page) => {
          const options = { retrieve, filter: where, depth, ...page };
          const { hits, ranked, generation, device } = await index.search(text, options);
          // All hits of a short page, and of a long one some at its beginning, middle and end.
          const some = hits.filter((_, i) => hits.length <= 6 || i % Math.ceil(hits.length / 6) === 0);
          for (const hit of some) {
            const told = await index.explain(text, hit.id, options);
            const { rank, score, scores } = hit;
            expect(told).toMatchObject({ found: true, rank, score, generation, device });
            expect(told.scores).toEqual(scores);
            expect(told.decidedBy).toBe(scores.ranker === undefined ? retrieve : 'ranker');
            expect(told.ranking?.read).toBe(scores.ranker === undefined ? undefined : ranked);
            expect(told.ranking?.logit).toBe(scores.ranker);
            expect(told.ranking?.after).toBe(scores.ranker === undefined ? undefined : rank);
            agreesWithItself(told);
          }
        }),
        { numRuns: 8 },
      );
    },
    60_000,
  );

  test('of any document has its exact place in each list, also beyond the end', async () => {
    await fc.assert(
      fc.asyncProperty(query, filter, fc.constantFrom(...documents), async (text, where, { id }) => {
        const byVector = await whole(text, 'dense', where);
        const byWords = await whole(text, 'bm25', where);
        const told = await index.explain(text, id, { filter: where, depth: 5 });
        agreesWithItself(told);
        const passes = ids(byVector).includes(id);
        expect(told.outcome === 'filteredOut').toBe(!passes);
        expect(told.filter?.passes ?? true).toBe(passes);
        if (told.retrieval === undefined) return;
        const { dense, bm25, passing, listLength } = told.retrieval;
        expect([passing, dense!.of, listLength]).toEqual([byVector.length, byVector.length, 100]);
        expect(dense!.rank).toBe(ids(byVector).indexOf(id) + 1);
        expect(dense!.score).toBe(byVector[dense!.rank - 1]!.score);
        expect(bm25!.matches).toBe(ids(byWords).includes(id));
        expect(bm25!.matches).toBe(bm25!.words.has.length > 0);
        if (bm25!.matches) {
          expect(bm25!.rank).toBe(ids(byWords).indexOf(id) + 1);
          expect(bm25!.score).toBe(byWords[bm25!.rank! - 1]!.score);
        }
        expect(told.found).toBe(dense!.listed || bm25!.listed === true);
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});

/** What must hold within one explanation, whatever was searched. */
function agreesWithItself({ outcome, found, reason, retrieval, ranking, rank }: Explanation): void {
  expect(found).toBe(outcome === 'ranked' || outcome === 'retrieved');
  expect(reason).toMatch(/^[A-Z].*\.$/);
  const fusion = retrieval?.fusion;
  if (fusion !== undefined) {
    expect(fusion.addends.reduce((sum, { addend }) => sum + addend, 0)).toBe(fusion.sum);
    for (const { rank: place, addend } of fusion.addends) expect(addend).toBe(1 / (60 + place));
    expect(fusion.sum).toBe(retrieval?.score ?? 0);
  }
  if (ranking === undefined) return;
  const { blend, rankerZ, retrievalZ, score, before, after } = ranking;
  expect(score).toBe(blend * rankerZ + (1 - blend) * retrievalZ);
  expect([before, after]).toEqual([retrieval?.rank, rank]);
}

describe('why a document is not found', () => {
  test('a clause that fails is named with the value of the document', async () => {
    const failing: FilterExpression = {
      and: [
        { exists: ['length'] },
        { or: [{ lt: ['length', 0] }, { not: { eq: ['kind', 'description'] } }] },
        { near: ['at', { lat: 1, lon: 2 }, 30] },
      ],
    };
    await index.upsert([{ id: 'place', text: 'a place', attributes: { at: { lat: 1, lon: 2 } } }]);
    const { filter, outcome, reason, rank } = await index.explain('bread', 'd0', { filter: failing });
    expect([outcome, rank]).toEqual(['filteredOut', undefined]);
    expect(reason).toBe('Filtered out: nothing of filter.and[1].or holds.');
    const [exists, or, near] = filter!.clauses as [FilterClause, FilterClause, FilterClause];
    expect(filter).toMatchObject({ path: 'filter.and', operator: 'and', passes: false });
    const { length } = documents[0]!.text;
    expect(exists).toEqual({
      path: 'filter.and[0].exists',
      operator: 'exists',
      passes: true,
      attribute: 'length',
      value: length,
    });
    expect(or.clauses![0]).toEqual({
      path: 'filter.and[1].or[0].lt',
      operator: 'lt',
      passes: false,
      attribute: 'length',
      wanted: 0,
      value: length,
    });
    expect(or.clauses![1]).toMatchObject({ operator: 'not', passes: false, clauses: [{ passes: true }] });
    expect(near).toMatchObject({ wanted: { lat: 1, lon: 2, metres: 30 }, value: null, passes: false });
    await index.delete(['place']);
  });

  test('dates stand as ISO 8601 texts, and the whole is JSON', async () => {
    const where: FilterExpression = { in: ['added', [new Date(Date.UTC(2026, 0, 2)), '2026-01-03', 5n]] };
    const told = await index.explain('bread', 'd1', { filter: where });
    expect(told.filter).toMatchObject({
      passes: true,
      wanted: ['2026-01-02T00:00:00.000Z', '2026-01-03', '1970-01-01T00:00:00.005Z'],
      value: '2026-01-02T00:00:00.000Z',
    });
    expect(JSON.parse(JSON.stringify(told))).toEqual(told);
  });

  test('no such document, no query, in no list', async () => {
    expect(await index.explain('bread', 'nobody')).toMatchObject({
      found: false,
      outcome: 'noDocument',
      reason: 'There is no document with the id "nobody".',
    });
    const blank = await index.explain(' \n ', 'd0');
    expect([blank.outcome, blank.retrieval, blank.query]).toEqual(['noQuery', undefined, '']);
    const { outcome, reason, retrieval } = await index.explain('zzyzx', 'd0', { retrieve: 'bm25' });
    expect([outcome, reason]).toEqual(['notRetrieved', 'Not retrieved: it has no word of the query.']);
    expect(retrieval).toMatchObject({ retrieved: 0, bm25: { matches: false, words: { lacks: ['zzyzx'] } } });
    const last = (await whole('bread', 'dense')).at(-1)!;
    const far = await index.explain('bread', last.id, { retrieve: 'dense' });
    expect(far.reason).toBe(
      `Not retrieved: it is rank ${documents.length} by vectors, and a list ends at 100.`,
    );
  });

  test('beyond the depth, and without ranking at all', async () => {
    const { hits } = await index.search('exact search of vectors', { k: 30, depth: 20 });
    const beyond = await index.explain('exact search of vectors', hits[25]!.id, { depth: 20 });
    expect(beyond).toMatchObject({ outcome: 'retrieved', rank: 26, decidedBy: 'fused' });
    expect(beyond.reason).toMatch(/^Rank 26: .* the ranker reads only the best 20\.$/);
    const unranked = await index.explain('exact search of vectors', hits[25]!.id, { depth: 0 });
    expect(unranked.reason).toMatch(/with a depth of 0 the ranker reads nothing\.$/);
  });

  test.each<[string, unknown[]]>([
    ['query', [7, 'd0']],
    ['id', ['x', undefined]],
    ['option "facets"', ['x', 'd0', { facets: ['kind'] }]],
    ['option "deadlineMs"', ['x', 'd0', { deadlineMs: 5 }]],
    ['depth', ['x', 'd0', { depth: -1 }]],
  ])('a wrong %s is refused by name', async (name, args) => {
    await expect(index.explain(...(args as [string, string]))).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringContaining(name),
    });
  });

  test('a faulty filter is refused, also where there is no document; an abort rejects with its reason', async () => {
    const where = { eq: ['colour', 'red'] } as FilterExpression;
    await expect(index.explain('x', 'nobody', { filter: where })).rejects.toMatchObject({
      code: 'ERR_FILTER',
    });
    const signal = AbortSignal.abort(new Error('the user left'));
    await expect(index.explain('x', 'd0', { signal })).rejects.toThrow('the user left');
  });
});

describe('what the models read', () => {
  test('the cut lies where the texts end that have the same scores', async () => {
    const long = `Exact search. ${'The quick brown fox jumps over the lazy dog. '.repeat(60)}`;
    await using own = await open(freshPath());
    await own.upsert([{ id: 'long', title: 'Searching', text: long }]);
    const { retrieval, ranking } = await own.explain('fox', 'long');
    const { document: embedded, score } = retrieval!.dense!;
    expect(embedded).toMatchObject({ title: { start: 0, end: 9 }, passage: { start: 0, end: long.length } });
    expect(embedded.cut).toBeGreaterThan(0);
    const read = ranking!.document;
    expect(read.text.end).toBeLessThan(embedded.text.end);
    expect(read.kept + read.cut).toBe(embedded.kept + embedded.cut);
    await own.upsert([{ id: 'long', title: 'Searching', text: long.slice(0, embedded.text.end) }]);
    expect((await own.explain('fox', 'long')).retrieval!.dense!.score).toBe(score);
    await own.upsert([{ id: 'long', title: 'Searching', text: long.slice(0, read.text.end) }]);
    const short = (await own.explain('fox', 'long')).ranking!;
    expect(short.logit).toBe(ranking!.logit);
    expect(short.document).toMatchObject({ kept: read.kept, cut: 0 });
  });

  test('a query is cut, and a profile is read behind it', async () => {
    const searcher = { id: 'u1', version: '1', profile: 'likes the sea' };
    const { hits } = await index.search('ships', { searcher, k: 1 });
    const told = await index.explain('ships', hits[0]!.id, { searcher });
    expect(told.scores).toEqual(hits[0]!.scores);
    expect(told.ranking!.query).toMatchObject({ text: { start: 0, end: 5 }, profile: { start: 0, end: 13 } });
    const many = 'ships at sea '.repeat(300);
    const cut = await index.explain(many, hits[0]!.id, { retrieve: 'dense', depth: documents.length });
    expect(cut.ranking!.query.cut).toBeGreaterThan(0);
    expect(cut.ranking!.query.text.end).toBeLessThan(cut.query.length);
    expect(cut.retrieval!.dense!.query.kept + cut.retrieval!.dense!.query.cut).toBe(900);
  });
});

test('an explanation during writes sees one state', async () => {
  await using own = await open(freshPath());
  await own.upsert(documents.slice(0, 30));
  const writing = (async () => {
    for (let i = 0; i < 12; i++) {
      await own.upsert([{ id: 'd3', text: `a ship at sea, version ${i}`, attributes: { length: i } }]);
      if (i % 4 === 3) await own.delete(['d4']);
      else await own.upsert([documents[4]!]);
    }
  })();
  for (let i = 0; i < 12; i++) {
    const told = await own.explain('a ship at sea', 'd3', { depth: 5, filter: { gte: ['length', 0] } });
    expect(told.found).toBe(true);
    agreesWithItself(told);
    expect(['ranked', 'noDocument']).toContain((await own.explain('ship', 'd4', { depth: 50 })).outcome);
  }
  await writing;
});
