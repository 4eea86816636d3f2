import { expect, test } from '@jest/globals';
import { openCrossEncoder } from '../../ts/models/crossEncoder.ts';
import { openEncoder } from '../../ts/models/encoder.ts';
import { open } from '../../ts/open.ts';
import type { RankDocument } from '../../ts/rankTexts.ts';
import { freshPath } from './setup.ts';

const texts = ['a ship with sails', 'an instrument that measures earthquakes', 'a kind of bread'];
const searcher = { id: 'ann', version: '1', profile: 'I am a baker' };
const coded = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

test('rank gives the logits of the ranker, titles read before texts, profiles after the query', async () => {
  await using index = await open(freshPath());
  const ranker = await openCrossEncoder('seine-rank-small');
  try {
    const { scores, ...counts } = await index.rank('  measures \n earthquakes ', texts);
    expect(counts).toEqual({ ranked: 3, cached: 0, truncated: 0, queryTruncated: false });
    expect(scores).toEqual((await ranker.score('measures earthquakes', texts)).scores);
    const titled = await index.rank('bread', [
      { title: 'Rye', text: texts[2]! },
      { text: 'x '.repeat(2000) },
    ]);
    const expected = await ranker.score('bread', [`Rye ${texts[2]}`, 'x '.repeat(2000)]);
    expect(titled).toMatchObject({ scores: expected.scores, truncated: 1, queryTruncated: false });
    expect((await index.rank('x '.repeat(2000), ['x'])).queryTruncated).toBe(true);
    const personal = await index.rank('food', texts, { searcher });
    expect(personal.scores).toEqual((await ranker.score('food I am a baker', texts)).scores);
    const late = await index.rank('food', texts, { deadlineMs: 0 });
    expect(late).toEqual({
      scores: new Float32Array(3).fill(Number.NaN),
      ranked: 0,
      cached: 0,
      truncated: 0,
      queryTruncated: false,
    });
    const cutLate = await index.rank('food', texts, { deadlineMs: 0, maxTokens: 3 });
    expect(cutLate).toMatchObject({ scores: late.scores, ranked: 0, tokens: new Uint32Array(3) });
    expect((await index.rank('food', [])).scores).toHaveLength(0);
  } finally {
    await ranker.close();
  }
});

test('a search ranks for the searcher', async () => {
  await using index = await open(freshPath());
  await index.upsert(texts.map((text, i) => ({ id: String(i), text })));
  const logits = async (profile: string | undefined) => {
    const { hits } = await index.search('a thing', {
      k: 3,
      ...(profile !== undefined && { searcher: { ...searcher, profile } }),
    });
    return Object.fromEntries(hits.map(({ id, scores }) => [id, scores.ranker]));
  };
  const expected = async (query: string) =>
    Object.fromEntries([...(await index.rank(query, texts)).scores].map((score, i) => [String(i), score]));
  for (const [profile, prompt] of [
    [undefined, 'a thing'],
    ['', 'a thing'],
    [' I  bake\n', 'a thing I bake'],
  ] as const) {
    const found = await logits(profile);
    const wanted = await expected(prompt);
    expect(Object.keys(found).sort()).toEqual(Object.keys(wanted).sort());
    for (const id of Object.keys(found)) expect(found[id]).toBeCloseTo(wanted[id]!, 5);
  }
});

test('embed gives the vectors of the embedder', async () => {
  await using index = await open(freshPath(), { ranker: 'none' });
  const encoder = await openEncoder('seine-embed-small');
  try {
    const { vectors, ...rest } = await index.embed(texts, 'document');
    const expected = await encoder.encode(texts, { kind: 'document' });
    expect(vectors).toEqual(expected.vectors);
    expect(rest).toEqual({
      dim: encoder.dim,
      tokens: expected.tokens,
      truncated: 0,
      truncatedTexts: [],
      model: 'seine-embed-small',
    });
    expect((await index.embed([], 'query')).vectors).toHaveLength(0);
  } finally {
    await encoder.close();
  }
});

test('what is no text, no option or no searcher is refused', async () => {
  await using index = await open(freshPath());
  const rank = (documents: unknown, options?: unknown) =>
    index.rank('q', documents as RankDocument[], options as object);
  const refused = (message: RegExp) => coded('ERR_ARGUMENT', message);
  await expect(rank('x')).rejects.toEqual(refused(/documents must be an array/));
  await expect(rank(['a', 7])).rejects.toEqual(refused(/got 7 at index 1/));
  await expect(rank([{ title: 'a' }])).rejects.toEqual(refused(/have a text, got undefined at index 0/));
  await expect(rank([{ text: 'a', title: 3 }])).rejects.toEqual(refused(/title .* got 3 at index 0/));
  await expect(rank([{ vectors: [1] }])).rejects.toEqual(refused(/Float32Arrays of finite numbers/));
  await expect(rank([{ vectors: new Float32Array(384) }])).rejects.toEqual(
    refused(/must be texts for the ranker seine-rank-small/),
  );
  await expect(rank([{ vectors: new Float32Array(384) }], { maxTokens: 8 })).rejects.toEqual(
    refused(/maxTokens cuts texts, but the document at index 0/),
  );
  await expect(rank([], { k: 1 })).rejects.toEqual(
    refused(/no option "k"; there are: background, maxTokens, searcher/),
  );
  await expect(rank([], { background: 1 })).rejects.toEqual(
    refused(/background must be true or false, got 1/),
  );
  await expect(rank([], { searcher: 'ann' })).rejects.toEqual(refused(/searcher must be an object/));
  await expect(rank([], { searcher: { id: 'a', version: '1' } })).rejects.toEqual(
    refused(/searcher.profile must be a string, got undefined/),
  );
  await expect(rank([], { searcher: { ...searcher, name: 'x' } })).rejects.toEqual(
    refused(/no field "name"/),
  );
  await expect(index.search('q', { searcher: { ...searcher, version: 2 as never } })).rejects.toEqual(
    refused(/searcher.version must be a string, got 2/),
  );
  await expect(index.rank(7 as never, [])).rejects.toEqual(refused(/query must be a string/));
  await expect(index.embed('x' as never, 'query')).rejects.toEqual(refused(/texts must be an array/));
  await expect(index.embed([], 'passage' as never)).rejects.toEqual(refused(/kind must be/));
  await expect(index.embed([], 'query', { k: 1 } as never)).rejects.toEqual(refused(/no option "k"/));
  const reason = new Error('enough');
  const signal = AbortSignal.abort(reason);
  await expect(rank(texts, { signal })).rejects.toBe(reason);
  await expect(index.embed(texts, 'query', { signal })).rejects.toBe(reason);
});

test('without a ranker nothing can be ranked, and after closing nothing at all', async () => {
  const index = await open(freshPath(), { ranker: 'none' });
  await expect(index.rank('q', texts)).rejects.toEqual(coded('ERR_ARGUMENT', /open it with a ranker/));
  await index.close();
  await expect(index.rank('q', texts)).rejects.toEqual(coded('ERR_CLOSED', /open it again/));
  await expect(index.embed(texts, 'query')).rejects.toEqual(coded('ERR_CLOSED', /open it again/));
});

test('closing waits for texts that are being ranked and embedded', async () => {
  const index = await open(freshPath());
  const ranking = index.rank('q', texts);
  const embedding = index.embed(texts, 'query');
  await index.close();
  expect((await ranking).ranked).toBe(3);
  const { vectors, dim } = await embedding;
  expect(vectors).toHaveLength(3 * dim);
});

test('documents can be cut to fewer tokens for ranking, which are counted then', async () => {
  await using index = await open(freshPath());
  const cut = await index.rank('ship', ['a ship with sails', 'bread'], { maxTokens: 2 });
  expect([...cut.tokens!]).toEqual([2, 1]);
  expect(cut.scores).toEqual((await index.rank('ship', ['a ship', 'bread'])).scores);
  await expect(index.rank('ship', ['a'], { maxTokens: 1.5 })).rejects.toEqual(
    coded('ERR_ARGUMENT', /maxTokens/),
  );
});
