import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type CrossEncoder, openCrossEncoder } from '../../../ts/models/crossEncoder.ts';
import { pairKey, type Question, questionDigest } from '../../../ts/online/rank/prompt.ts';
import { ScoreCache } from '../../../ts/online/rank/scoreCache.ts';
import { scorePairs } from '../../../ts/online/rank/scorePairs.ts';
import { WatchedRanker } from './watchedRanker.ts';

let real: CrossEncoder;
beforeAll(async () => {
  real = await openCrossEncoder('seine-rank-small', { threads: 1 });
});
afterAll(() => real.close());

const documents = ['a small ship', 'a measuring instrument', 'sea water', 'a kind of bread'];
const ann = { id: 'ann', version: '1', profile: 'I bake' };
let watched: WatchedRanker;
let cache: ScoreCache;
beforeEach(() => {
  watched = new WatchedRanker(real);
  cache = new ScoreCache({ bytes: 1_000_000, provider: 'cpu' });
});

const ask = (
  texts: string[],
  options: { signal?: AbortSignal; deadline?: number } = {},
  question: Question = { query: 'boat' },
) => scorePairs(question, texts, watched.ranker, { ...options, cache });

async function expectTrue(logits: (number | undefined)[], texts: string[], query = 'boat'): Promise<void> {
  const { scores } = await real.score(query, texts);
  for (const [i, score] of scores.entries()) expect(logits[i]).toBeCloseTo(score, 5);
}

describe('what is remembered', () => {
  test('is found again, cuts and all, and only what is new is computed', async () => {
    const long = 'sea '.repeat(2000);
    const first = await ask([...documents, long]);
    expect(first).toMatchObject({ cached: 0, truncated: 1, queryTruncated: false });
    await expectTrue(first.logits, [...documents, long]);
    const again = await ask([long, 'new', ...documents]);
    expect(again).toMatchObject({ cached: 5, truncated: 1, queryTruncated: false });
    await expectTrue(again.logits, [long, 'new', ...documents]);
    expect(watched.pairs).toHaveLength(6);
    const wordy = { query: 'boat '.repeat(2000) };
    expect((await ask(['a'], {}, wordy)).queryTruncated).toBe(true);
    expect(await ask(['a'], {}, wordy)).toMatchObject({ cached: 1, queryTruncated: true });
    expect(cache.state().memory.shared).toMatchObject({ entries: 7, hits: 6, misses: 7, evictions: 0 });
  });

  test('counts as scored although the deadline has passed', async () => {
    await ask([documents[1]!, documents[3]!]);
    const { logits, cached } = await ask(documents, { deadline: performance.now() - 1 });
    expect(logits.map((logit) => logit !== undefined)).toEqual([false, true, false, true]);
    expect(cached).toBe(2);
  });

  test('equal texts of one call are computed once', async () => {
    const { logits, cached } = await ask(['a ship', 'a ship', 'a ship']);
    expect(watched.pairs).toHaveLength(1);
    expect(new Set(logits).size).toBe(1);
    expect(cached).toBe(2);
    expect(await ask([])).toMatchObject({ logits: [], cached: 0 });
  });

  test('is not driven out by what is remembered for others', async () => {
    cache = new ScoreCache({ bytes: 8192, provider: 'cpu' });
    await ask(documents);
    const many = Array.from({ length: 100 }, (_, i) => `thing ${i}`);
    await ask(many, {}, { query: 'boat', searcher: ann });
    expect((await ask(documents)).cached).toBe(4);
    await ask(many);
    const { personal, shared } = cache.state().memory;
    expect((await ask(many.slice(-5), {}, { query: 'boat', searcher: ann })).cached).toBe(5);
    expect([personal.evictions, shared.evictions]).toEqual([
      100 - personal.entries,
      documents.length + 100 - shared.entries,
    ]);
  });

  test('takes no more than its bytes, whatever they are', async () => {
    const { ranker } = watched;
    const quick: CrossEncoder = {
      ...ranker,
      score: async (_, texts) => ({
        scores: new Float32Array(texts.length),
        scored: texts.length,
        truncated: new Uint8Array(texts.length),
        queryTruncated: false,
      }),
    };
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1024, max: 40_000 }),
        fc.array(fc.tuple(fc.array(fc.nat(300), { maxLength: 200 }), fc.boolean()), { maxLength: 12 }),
        async (bytes, calls) => {
          const bounded = new ScoreCache({ bytes, provider: 'cpu' });
          for (const [texts, personal] of calls) {
            const question = { query: 'q', searcher: personal ? ann : undefined };
            await bounded.score(question, texts.map(String), quick, {});
            const { shared, personal: own } = bounded.state().memory;
            expect(shared.limit + own.limit).toBeLessThanOrEqual(bytes);
            for (const { bytes: taken, limit, entries } of [shared, own]) {
              expect(taken).toBeLessThanOrEqual(limit);
              expect(taken).toBeGreaterThanOrEqual(entries * 280);
            }
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('equal work under way', () => {
  test('is done once, for calls that overlap in part too', async () => {
    const many = Array.from({ length: 90 }, (_, i) => `thing ${i}`);
    const release = watched.hold();
    const windows = [0, 10, 20, 30].map((start) => many.slice(start, start + 60));
    const asked = windows.flatMap((texts) => [ask(texts), ask(texts.toReversed())]);
    await setImmediate();
    release();
    const answers = await Promise.all(asked);
    expect(watched.pairs).toHaveLength(90);
    expect(new Set(watched.pairs).size).toBe(90);
    expect(answers.reduce((sum, { cached }) => sum + cached, 0)).toBe(8 * 60 - 90);
    for (const [i, { logits }] of answers.entries()) {
      const texts = windows[i >> 1]!;
      await expectTrue(logits, i % 2 === 0 ? texts : texts.toReversed());
    }
  });

  test('goes on for those who still wait when the one who began it is cancelled', async () => {
    const release = watched.hold();
    const controller = new AbortController();
    const leader = ask(documents, { signal: controller.signal });
    const follower = ask(documents);
    await setImmediate();
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(leader).rejects.toBe(reason);
    expect(watched.calls[0]!.options.signal?.aborted).toBe(false);
    release();
    await expectTrue((await follower).logits, documents);
    expect(watched.pairs).toHaveLength(documents.length);
  });

  test('is given up when nobody waits any more, and begun anew when asked again', async () => {
    const release = watched.hold();
    const controllers = [new AbortController(), new AbortController()];
    const asked = controllers.map(({ signal }) => ask(documents, { signal }));
    for (const controller of controllers) controller.abort();
    for (const one of asked) await expect(one).rejects.toThrow(/abort/);
    expect(watched.calls[0]!.options.signal?.aborted).toBe(true);
    const again = ask(documents);
    release();
    await expectTrue((await again).logits, documents);
    expect(watched.calls).toHaveLength(2);
    await expect(ask(documents, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/);
  });

  test('is computed by those who have time when the one who began it has none', async () => {
    const release = watched.hold();
    const leader = ask(documents, { deadline: performance.now() - 1 });
    const follower = ask(documents);
    await setImmediate();
    release();
    expect((await leader).logits).toEqual(documents.map(() => undefined));
    await expectTrue((await follower).logits, documents);
    expect(watched.calls).toHaveLength(2);
  });

  test('is not waited for beyond the deadline', async () => {
    await ask(['sea']);
    const release = watched.hold();
    const leader = ask(documents);
    const hurried = await ask([...documents, 'sea'], { deadline: performance.now() + 5 });
    expect(hurried.logits.map((logit) => logit !== undefined)).toEqual([false, false, false, false, true]);
    release();
    await expectTrue((await leader).logits, documents);
  });

  test('fails for the one who began it alone, and no failure is remembered', async () => {
    const failure = new Error('the model has failed');
    watched.before = async (call) => {
      await setImmediate();
      if (call === 0) throw failure;
    };
    const leader = ask(documents);
    const follower = ask(documents);
    await expect(leader).rejects.toBe(failure);
    await expectTrue((await follower).logits, documents);
    expect((await ask(documents)).cached).toBe(4);
    expect(watched.calls).toHaveLength(2);
  });

  test('is waited for by whoever wants it, not by those who want a little of it', async () => {
    const many = Array.from({ length: 200 }, (_, i) => `thing ${i}`);
    let release = (): void => {};
    watched.before = async (call) => {
      if (call > 0) await new Promise<void>((resolve) => (release = resolve));
    };
    const bulk = ask(many);
    const few = await ask(many.slice(0, 3));
    expect(few.cached).toBe(3);
    while (watched.calls.length < 2) await setImmediate();
    watched.before = async () => {};
    release();
    await expectTrue((await bulk).logits, many);
    expect(watched.pairs).toHaveLength(200);
  });
});

test('keys differ wherever anything differs that a score depends on', () => {
  const text = fc.oneof(
    fc.constantFrom('', 'a', 'b', '\ud800', '\udfff', '\ufffd', 'a","b', 'null'),
    fc.string(),
  );
  const person = fc.option(fc.record({ id: text, version: text, profile: text }), { nil: undefined });
  const version = fc.record({ hash: text, maxTokens: fc.constantFrom(256, 512), provider: text });
  const input = fc.tuple(text, person, version, text);
  const key = ([query, searcher, ranker, document]: typeof input extends fc.Arbitrary<infer T> ? T : never) =>
    pairKey(questionDigest({ query, searcher }, ranker), document);
  fc.assert(
    fc.property(input, input, (a, b) => {
      expect(key(a)).toHaveLength(32);
      expect(key(a) === key(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
    { numRuns: 2000 },
  );
});
