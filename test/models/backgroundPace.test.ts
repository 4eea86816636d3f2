import { expect, test } from '@jest/globals';
import { BackgroundPace } from '../../ts/models/backgroundPace.ts';
import { openCrossEncoder } from '../../ts/models/crossEncoder.ts';
import { openEncoder } from '../../ts/models/encoder.ts';

test('a batch has as many tokens as 20 ms take, within its bounds', () => {
  const pace = new BackgroundPace(4096);
  expect(pace.tokens).toBe(256);
  for (let i = 0; i < 50; i++) pace.observe(100, 10); // 10 tokens a millisecond
  expect(pace.tokens).toBe(200);
  for (let i = 0; i < 50; i++) pace.observe(1, 1000);
  expect(pace.tokens).toBe(1);
  for (let i = 0; i < 50; i++) pace.observe(1e6, 1);
  expect(pace.tokens).toBe(4096);
});

test('the background waits for the calls that are under way, and for those alone', async () => {
  const pace = new BackgroundPace(4096);
  await pace.turn();
  const order: string[] = [];
  let end = (): void => {};
  const call = pace.first(async () => {
    await new Promise<void>((resolve) => {
      end = resolve;
    });
    order.push('call');
  });
  const turn = pace.turn().then(() => order.push('background'));
  setTimeout(() => end(), 5);
  await Promise.all([call, turn]);
  expect(order).toEqual(['call', 'background']);
  await expect(pace.first(() => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  await pace.turn(); // a call that fails holds up nothing
});

test('a query overtakes documents in the background, whose vectors are the same', async () => {
  const encoder = await openEncoder('seine-embed-small');
  try {
    const texts = Array.from({ length: 3000 }, (_, i) => `document ${i} `.repeat(1 + (i % 20)));
    const order: string[] = [];
    const background = encoder
      .encode(texts, { kind: 'document', background: true })
      .finally(() => order.push('documents'));
    await encoder.encode(['a query'], { kind: 'query' });
    order.push('query');
    const { vectors, tokens } = await background;
    const plain = await encoder.encode(texts, { kind: 'document' });
    expect(order).toEqual(['query', 'documents']);
    expect(tokens).toBe(plain.tokens);
    const apart = vectors.reduce(
      (worst, value, i) => Math.max(worst, Math.abs(value - plain.vectors[i]!)),
      0,
    );
    expect(apart).toBeLessThan(1e-5);
  } finally {
    await encoder.close();
  }
});

test('a pair overtakes documents that are scored in the background, whose scores are the same', async () => {
  const ranker = await openCrossEncoder('seine-rank-small');
  try {
    const documents = Array.from({ length: 400 }, (_, i) => `document ${i} `.repeat(1 + (i % 20)));
    const order: string[] = [];
    const background = ranker
      .score('a query', documents, { background: true })
      .finally(() => order.push('documents'));
    await ranker.score('another query', ['a document']);
    order.push('pair');
    const { scores, scored } = await background;
    const plain = await ranker.score('a query', documents);
    expect(order).toEqual(['pair', 'documents']);
    expect(scored).toBe(documents.length);
    for (const [i, score] of scores.entries()) expect(Math.abs(score - plain.scores[i]!)).toBeLessThan(1e-4);
    await expect(
      ranker.score('a query', documents, { background: true, signal: AbortSignal.abort() }),
    ).rejects.toThrow('aborted');
  } finally {
    await ranker.close();
  }
});
