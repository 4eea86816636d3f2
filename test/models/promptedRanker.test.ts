import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openCheckpoint } from '../../ts/graph/checkpoint.ts';
import { readTensor } from '../../ts/graph/checkpointTensor.ts';
import { type CrossEncoder, openCrossEncoder } from '../../ts/models/crossEncoder.ts';
import { openTokenizer } from '../../ts/models/tokenizer.ts';
import { describeWithShared } from '../helpers/describeWithShared.ts';
import { type Prompted, readFixture, TOKENIZER_FILE, writePrompted } from './promptedFixture.ts';
import { withFolder } from './tinyModel.ts';

const fixture = readFixture<Prompted>('prompted.json');

const withRanker = (
  family: string,
  files: Record<string, object>,
  body: (ranker: CrossEncoder) => Promise<void>,
): Promise<void> =>
  withFolder(async (folder) => {
    const ranker = await openCrossEncoder(writePrompted(join(folder, family), family, files), { threads: 1 });
    try {
      await body(ranker);
    } finally {
      await ranker.close();
    }
  });

function expectClose(got: Iterable<number>, wanted: readonly number[], tolerance: number): void {
  const worst = [...got].map((value, i) => Math.abs(value - wanted[i]!));
  expect(worst).toHaveLength(wanted.length);
  expect(Math.max(...worst)).toBeLessThan(tolerance);
}

describe('a language model as a ranker', () => {
  test.each(Object.keys(fixture.scores))('%s scores as in transformers', async (family) => {
    await withRanker(family, {}, async (ranker) => {
      expect(ranker.maxTokens).toBe(512);
      for (const query of new Set(fixture.pairs.map(([query]) => query))) {
        const own = fixture.pairs.flatMap((pair, i) => (pair[0] === query ? [i] : []));
        const { scores, scored, truncated } = await ranker.score(
          query,
          own.map((i) => fixture.pairs[i]![1]),
        );
        expectClose(
          scores,
          own.map((i) => fixture.scores[family]![i]!),
          1e-5,
        );
        expect([scored, ...truncated]).toEqual([own.length, ...own.map(() => 0)]);
      }
    });
  });

  test('a score does not depend on the batch, its order or its neighbours', async () => {
    const word = fc.constantFrom('river', 'sea ', 'nurse,', '\n', '42', ' é', '<|im_end|>');
    const text = fc.array(word, { maxLength: 60 }).map((words) => words.join(' '));
    await withRanker('qwen3', { 'sentence_bert_config.json': { max_seq_length: 200 } }, async (ranker) => {
      await fc.assert(
        fc.asyncProperty(text, fc.array(text, { minLength: 1, maxLength: 12 }), async (query, documents) => {
          const together = await ranker.score(query, documents);
          const reversed = await ranker.score(query, documents.toReversed());
          const alone = [];
          for (const document of documents) alone.push((await ranker.score(query, [document])).scores[0]!);
          const timed = await ranker.score(query, documents, { deadline: performance.now() + 60_000 });
          expectClose(together.scores, alone, 1e-5);
          expectClose(reversed.scores.toReversed(), alone, 1e-5);
          expectClose(timed.scores, alone, 1e-5);
          expect([timed.scored, timed.truncated]).toEqual([documents.length, together.truncated]);
        }),
        { numRuns: 15 },
      );
    });
  });

  test('cuts the document, never what is behind it, and says so', async () => {
    await withRanker('llama', { 'sentence_bert_config.json': { max_seq_length: 120 } }, async (ranker) => {
      const long = 'the sea is deep '.repeat(40);
      const { query, document } = await ranker.read('river', long);
      expect(query).toEqual({ kept: expect.any(Number), cut: 0, end: 5 });
      expect(document.cut).toBeGreaterThan(0);
      const head = long.slice(0, document.end);
      const { scores, truncated } = await ranker.score('river', [long, head, 'sea']);
      expect([...truncated]).toEqual([1, 0, 0]);
      expect(scores[0]).toBeCloseTo(scores[1]!, 5);
      const wordy = await ranker.score('river '.repeat(300), ['sea']);
      expect([wordy.queryTruncated, wordy.truncated[0], Number.isFinite(wordy.scores[0])]).toEqual([
        true,
        0,
        true,
      ]);
      const heads = await ranker.heads([long], 5);
      expect([heads.tokens[0], long.startsWith(heads.texts[0]!)]).toEqual([5, true]);
      const late = await ranker.score('river', [long], { deadline: performance.now() - 1 });
      expect(late.scored).toBe(0);
    });
  });

  test('a document as the embeddings of its tokens scores as its text does, beside texts, too', async () => {
    const folder = fileURLToPath(new URL('fixtures/qwen3', import.meta.url));
    const { tensors } = openCheckpoint(folder);
    const [name, tensor] = [...tensors].find(([key]) => key.endsWith('embed_tokens.weight'))!;
    const hidden = tensor.shape[1]!;
    const table = readTensor(name, tensor);
    const tokenizer = await openTokenizer(TOKENIZER_FILE);
    // The prompt has a blank before the document, which belongs to its first token.
    const embedded = (text: string): Float32Array =>
      Float32Array.from(
        tokenizer
          .plain(` ${text}`, 400)
          .ids.flatMap((id) => [...table.subarray(id * hidden, (id + 1) * hidden)]),
      );
    await withRanker('qwen3', {}, async (ranker) => {
      const texts = ['the sea is deep', 'nurse', 'a river, 42 miles long, and then the sea'];
      const { scores } = await ranker.score('river', texts);
      expectClose((await ranker.score('river', texts.map(embedded))).scores, [...scores], 1e-5);
      const mixed = await ranker.score('river', [texts[0]!, embedded(texts[1]!), texts[2]!]);
      expectClose(mixed.scores, [...scores], 1e-5);
      expect([...mixed.truncated]).toEqual([0, 0, 0]);

      const refused = (document: unknown) => ranker.score('river', ['sea', document as Float32Array]);
      await expect(refused(new Float32Array(hidden + 1))).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
      await expect(refused(new Float32Array(hidden + 1))).rejects.toThrow(
        `vectors of ${hidden} numbers, got ${hidden + 1} numbers`,
      );
      await expect(refused(new Float32Array(0))).rejects.toThrow(/must be 1 to \d+ vectors/);
      await expect(refused(new Float32Array(512 * hidden))).rejects.toThrow(/fewer of them/);
      await expect(refused(new Float32Array(hidden).fill(Number.NaN))).rejects.toThrow(/finite numbers/);
      await expect(refused([1, 2])).rejects.toThrow(/at index 1/);
    });
  });

  test('a prompt in its directory decides, and is part of its hash', async () => {
    const prompt = {
      template: ['<|im_start|>{query}', '{document}', '<|im_end|>'],
      labels: { yes: 'no', no: 'yes' },
    };
    await withRanker('llama', {}, async (shipped) => {
      await withRanker('llama', { 'prompt.json': prompt }, async (own) => {
        expect(own.hash).not.toBe(shipped.hash);
        await withRanker(
          'llama',
          { 'prompt.json': { ...prompt, labels: { yes: 'yes', no: 'no' } } },
          async (turned) => {
            const documents = ['sea', 'a longer text'];
            const [a, b] = [await own.score('river', documents), await turned.score('river', documents)];
            expectClose(a.scores, [-b.scores[0]!, -b.scores[1]!], 1e-6);
            expect(a.scores[0]).not.toBeCloseTo(a.scores[1]!, 4);
          },
        );
      });
    });
  });

  test('what does not fit together is refused, with what to do', async () => {
    const open = (files: Record<string, object>): Promise<unknown> =>
      withRanker('llama', files, async () => {});
    const prompt = { template: ['{query}', '{document}', '<|im_end|>'], labels: { yes: 'yes', no: 'zebra' } };
    await expect(open({ 'prompt.json': prompt })).rejects.toThrow(
      /labels\.no as one token .* "zebra" has \d/,
    );
    await expect(open({ 'sentence_bert_config.json': { max_seq_length: 30 } })).rejects.toThrow(
      /leave room for query and document, but takes \d+ of 30 tokens/,
    );
    const encoder = { model_type: 'llama', architectures: ['LlamaModel'], vocab_size: 400 };
    await expect(open({ 'config.json': encoder, 'prompt.json': prompt })).rejects.toThrow(
      /has prompt\.json but is no language model/,
    );
  });
});

describeWithShared('SmolLM2 as a ranker', 'models/SmolLM2-135M-Instruct', (smol) => {
  test('scores as in transformers', async () => {
    const { pairs, scores } = readFixture<{ pairs: [string, string][]; scores: number[] }>('smolLM2.json');
    const ranker = await openCrossEncoder(smol);
    const got: number[] = [];
    for (const [query, document] of pairs) got.push((await ranker.score(query, [document])).scores[0]!);
    await ranker.close();
    expectClose(got, scores, 1e-3);
  }, 120_000);
});
