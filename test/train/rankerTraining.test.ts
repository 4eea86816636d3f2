import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { random } from '../../ts/core/random.ts';
import { type BertConfig, bertShapes } from '../../ts/graph/bert.ts';
import { bertClassifier } from '../../ts/graph/bertClassifier.ts';
import { openSession } from '../../ts/models/session.ts';
import type { Tokenizer } from '../../ts/models/tokenizer.ts';
import { listTargets } from '../../ts/train/losses/listwise.ts';
import { listBatch, type RankingGroup, trainRanker } from '../../ts/train/rankerTraining.ts';

const folder = mkdtempSync(join(tmpdir(), 'seine-ranker-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Words are numbers; 1 = [CLS], 2 = [SEP], 0 = padding. */
const tokenizer: Tokenizer = {
  size: 30,
  padId: 0,
  specialTokens: new Map(),
  specials: { single: 2, pair: 3 },
  part: (text, limit) => {
    const ids = text.split(' ').map(Number);
    return { ids: ids.slice(0, limit), truncated: ids.length > limit };
  },
  plain: () => {
    throw new Error('a ranker encodes pairs');
  },
  single: () => {
    throw new Error('a ranker encodes pairs');
  },
  pair: (first, second) => ({
    ids: Int32Array.from([1, ...first.ids, 2, ...second.ids, 2]),
    types: Uint8Array.from([...first.ids.map(() => 0), 0, 0, ...second.ids.map(() => 1), 1]),
    truncated: false,
  }),
};

test('targets are gains, normalised; a list without a relevant document is uniform', () => {
  expect(Array.from(listTargets([3, 0, 1, 0]))).toEqual([0.875, 0, 0.125, 0]);
  expect(Array.from(listTargets([0, 0]))).toEqual([0.5, 0.5]);
});

test('a batch holds pairs with masks and segments, cut to the length', () => {
  const group: RankingGroup = { query: '5 6', documents: ['7', '8 9 10 11'], grades: [1, 0] };
  const { bucket, feeds } = listBatch(tokenizer, [group], 8);
  expect(bucket).toBe('1x2x8');
  expect(Array.from(feeds.input_ids!.data, Number)).toEqual([
    1, 5, 6, 2, 7, 2, 0, 0, 1, 5, 6, 2, 8, 9, 10, 2,
  ]);
  expect(Array.from(feeds.attention_mask!.data, Number)).toEqual([
    1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1,
  ]);
  expect(Array.from(feeds.token_type_ids!.data, Number)).toEqual([
    0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1,
  ]);
});

test('a ranker learns which document shares its first word with the query', async () => {
  const config: BertConfig = {
    hidden_size: 32,
    intermediate_size: 64,
    num_attention_heads: 4,
    num_hidden_layers: 1,
    vocab_size: 30,
    max_position_embeddings: 12,
    type_vocab_size: 2,
    layer_norm_eps: 1e-12,
  };
  const generator = random(1);
  const weights = Object.fromEntries(
    Object.entries(bertShapes(config, 1)).map(([name, shape]) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const norm = name.endsWith('LayerNorm.weight');
      return [name, Float32Array.from({ length: size }, () => (norm ? 1 : 0.15 * generator.normal()))];
    }),
  );
  const wordEmbeddings = Float32Array.from({ length: 30 * 32 }, () => generator.normal());
  const group = (): RankingGroup => {
    const words = generator.shuffle(Array.from({ length: 8 }, (_, i) => 10 + i)).slice(0, 4);
    const target = generator.below(4);
    const documents = words.map((word) => `${word} ${20 + generator.below(10)}`);
    return { query: String(words[target]), documents, grades: words.map((_, i) => (i === target ? 3 : 0)) };
  };
  const losses: number[] = [];
  const trained = await trainRanker({
    config,
    tokenizer,
    weights,
    wordEmbeddings,
    batches: Array.from({ length: 250 }, () => ({ groups: Array.from({ length: 8 }, group), maxTokens: 8 })),
    optimizer: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, clipNorm: 1 },
    warmup: 20,
    peak: 3e-3,
    checkpoint: join(folder, 'checkpoint.safetensors'),
    checkpointSteps: 1000,
    identity: 'first word',
    threads: 1,
    onStep: ({ loss }) => losses.push(loss),
  });
  const late = losses.slice(-20).reduce((a, b) => a + b, 0) / 20;
  expect(losses[0]).toBeGreaterThan(1);
  expect(late).toBeLessThan(0.3);

  const session = await openSession(bertClassifier(config, 1, trained, wordEmbeddings, 'int8'));
  let first = 0;
  for (let i = 0; i < 50; i++) {
    const made = group();
    const { targets, ...feeds } = listBatch(tokenizer, [made], 8).feeds;
    const { logits } = await session.run(feeds);
    const scores = Array.from(logits!.data as Float32Array);
    if (targets!.data[scores.indexOf(Math.max(...scores))] === 1) first++;
  }
  await session.release();
  expect(first).toBeGreaterThan(42);
});
