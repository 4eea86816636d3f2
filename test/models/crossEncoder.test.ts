import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { describe, expect, test } from '@jest/globals';
import { type CrossEncoder, openCrossEncoder } from '../../ts/models/crossEncoder.ts';
import { toScores } from '../../ts/models/toScores.ts';
import { tinyEncoder, tinyRanker, VOCAB, weight, withFolder, writeModel } from './tinyModel.ts';

const withRanker = (
  labels: number,
  extras: Record<string, object>,
  body: (ranker: CrossEncoder) => Promise<void>,
): Promise<void> =>
  withFolder(async (folder) => {
    const ranker = await openCrossEncoder(writeModel(join(folder, 'tiny'), tinyRanker(labels), extras), {
      threads: 1,
    });
    try {
      await body(ranker);
    } finally {
      await ranker.close();
    }
  });

const logit = (words: string, label = 0): number =>
  ['[CLS]', ...words.split(' '), '[SEP]', '[SEP]'].reduce(
    (sum, token) => sum + weight(VOCAB.get(token)!, label),
    0,
  );

describe('cross-encoder', () => {
  test('scores pairs in the caller’s order', async () => {
    await withRanker(1, { 'seine.json': { blend: 0.25 } }, async (ranker) => {
      expect([ranker.name, ranker.maxTokens, ranker.blend]).toEqual(['tiny', 32, 0.25]);
      const { scores, scored, truncated } = await ranker.score('sea', ['a', 'river river b c', '', 'river']);
      expect(scored).toBe(4);
      expect(truncated).toEqual(new Uint8Array(4));
      const expected = [
        logit('sea a'),
        logit('sea river river b c'),
        logit('[CLS]') - weight(2, 0) + weight(VOCAB.get('sea')!, 0),
        logit('sea river'),
      ];
      for (const [i, score] of scores.entries()) expect(score).toBeCloseTo(expected[i]!, 4);
      expect(await ranker.score('', [])).toEqual({
        scores: new Float32Array(0),
        scored: 0,
        truncated: new Uint8Array(0),
        queryTruncated: false,
      });
    });
  });

  test('cutting texts ends with the caller or the deadline', async () => {
    await withRanker(1, {}, async (ranker) => {
      const texts = Array.from({ length: 5000 }, () => 'sea river '.repeat(20));
      const late = await ranker.heads(texts, 4, { deadline: performance.now() - 1 });
      expect(late).toEqual({ texts: [], tokens: new Uint32Array(0) });
      const controller = new AbortController();
      const reason = new Error('left');
      const cutting = ranker.heads(texts, 4, { signal: controller.signal });
      const next = ranker.heads(['sea river sea'], 2);
      controller.abort(reason);
      await expect(cutting).rejects.toBe(reason);
      expect(await next).toEqual({ texts: ['sea river'], tokens: Uint32Array.of(2) });
      expect((await ranker.heads(texts.slice(0, 3), 1, { deadline: Number.MAX_SAFE_INTEGER })).texts).toEqual(
        Array(3).fill('sea'),
      );
    });
  });

  test('two labels give their difference', async () => {
    await withRanker(2, {}, async (ranker) => {
      expect(ranker.blend).toBeUndefined();
      const { scores } = await ranker.score('sea', ['river']);
      expect(scores[0]).toBeCloseTo(logit('sea river', 1) - logit('sea river', 0), 4);
    });
  });

  test('more labels give the expected one', () => {
    const scores = toScores(Float32Array.of(0, 0, 0, 1000, 0, 0, 0, Math.log(3), 0), 3);
    expect([...scores].map((score) => score.toFixed(5))).toEqual(['1.00000', '0.00000', '1.00000']);
    expect([...toScores(Float32Array.of(5, -7), 2)]).toEqual([5, -7]);
  });

  test('cuts the document, and the query only beyond half of the room', async () => {
    await withRanker(1, {}, async (ranker) => {
      const seas = (count: number): string => Array<string>(count).fill('sea').join(' ');
      const long = await ranker.score('river', [seas(100), 'a']);
      expect(long.truncated).toEqual(Uint8Array.of(1, 0));
      expect(long.scores[0]).toBeCloseTo(logit(`river ${seas(28)}`), 3);
      const wordy = await ranker.score(seas(100), ['river']);
      expect(wordy.truncated).toEqual(Uint8Array.of(0));
      expect([wordy.queryTruncated, long.queryTruncated]).toEqual([true, false]);
      expect(wordy.scores[0]).toBeCloseTo(logit(`${seas(16)} river`), 3);
      const fitting = await ranker.score(seas(16), ['river '.repeat(13)]);
      expect(fitting.truncated).toEqual(Uint8Array.of(0));
    });
  });

  test('tells what it reads of a pair, with the cuts that scoring makes', async () => {
    await withRanker(1, {}, async (ranker) => {
      const seas = (count: number): string => Array<string>(count).fill('sea').join(' ');
      expect(await ranker.read('river', `${seas(100)} `)).toEqual({
        query: { kept: 1, cut: 0, end: 5 },
        document: { kept: 28, cut: 72, end: 28 * 4 - 1 },
      });
      expect(await ranker.read(seas(20), 'river \u{1f600}')).toEqual({
        query: { kept: 16, cut: 4, end: 16 * 4 - 1 },
        document: { kept: 2, cut: 0, end: 8 },
      });
      // The head that it names has the score of the whole.
      const text = `${'abc '.repeat(9)}fgh\u{1f600} river`;
      const { document } = await ranker.read('sea', text);
      expect(document).toEqual({ kept: 28, cut: 1, end: text.indexOf(' river') });
      const { scores } = await ranker.score('sea', [text, `${text.slice(0, document.end)}`]);
      expect(scores[0]).toBe(scores[1]);
      expect((await ranker.read('sea', '\u{1f600}'.repeat(40))).document.end).toBeGreaterThan(0);
      await expect(ranker.read('sea', 7 as never)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    });
  });

  test('a deadline leaves the last documents without a score', async () => {
    await withRanker(1, {}, async (ranker) => {
      const documents = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 'river' : 'a b c d'));
      const whole = await ranker.score('sea', documents);
      expect(await ranker.score('sea', documents, { deadline: performance.now() + 60_000 })).toEqual(whole);
      const late = await ranker.score('sea', documents, { deadline: performance.now() - 1 });
      expect([late.scored, late.scores.length, late.scores.every((score) => score === 0)]).toEqual([
        0,
        100,
        true,
      ]);
      const many = Array.from({ length: 40 }, () => documents).flat();
      const some = await ranker.score('sea', many, { deadline: performance.now() + 20 });
      for (let i = 0; i < some.scored; i++) expect(some.scores[i]).toBeCloseTo(whole.scores[i % 100]!, 5);
      expect(some.scores.subarray(some.scored).every((score) => score === 0)).toBe(true);
    });
  });

  test('wrong models, files and arguments are refused', async () => {
    await withFolder(async (folder) => {
      const encoder = writeModel(join(folder, 'encoder'), tinyEncoder());
      await expect(openCrossEncoder(encoder)).rejects.toThrow(/last_hidden_state.*no cross-encoder/);
      const blend = writeModel(join(folder, 'blend'), tinyRanker(), { 'seine.json': { blend: 2 } });
      await expect(openCrossEncoder(blend)).rejects.toThrow(/blend as a number from 0 to 1/);
    });
    await withRanker(1, {}, async (ranker) => {
      await expect(ranker.score('sea', ['a', 7 as unknown as string])).rejects.toThrow(/got 7 at index 1/);
      const reason = new Error('enough');
      await expect(ranker.score('sea', ['a'], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    });
  });
});

test('heads are what is read of texts, with as many tokens', async () => {
  const ranker = await openCrossEncoder('seine-rank-small');
  try {
    const long = 'seven seas and seven ships '.repeat(500);
    const { texts, tokens } = await ranker.heads(['a ship', '', long], 5);
    expect([...tokens]).toEqual([2, 0, 5]);
    expect(texts).toEqual(['a ship', '', 'seven seas and seven ships']);
    const most = await ranker.heads([long], Number.MAX_SAFE_INTEGER);
    expect(most.tokens[0]).toBeLessThanOrEqual(ranker.maxTokens);
    expect(long.startsWith(most.texts[0]!)).toBe(true);
    const [whole, head] = (await ranker.score('seas', [long, most.texts[0]!])).scores;
    expect(head).toBeCloseTo(whole!, 4);
    await expect(ranker.heads(['a'], 0)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  } finally {
    await ranker.close();
  }
});
