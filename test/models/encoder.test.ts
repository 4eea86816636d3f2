import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { writeOnnx } from '../../ts/graph/onnx.ts';
import { type Encoder, openEncoder } from '../../ts/models/encoder.ts';
import {
  type ModelContent,
  TOKENIZER,
  tinyEncoder,
  tinyRanker,
  VOCAB,
  weight,
  withFolder,
  writeModel,
} from './tinyModel.ts';

const MINILM = '../shared/models/all-MiniLM-L6-v2';
const hasMiniLm = existsSync(MINILM);
if (!hasMiniLm) console.warn(`Tests with the real encoder are skipped: there is no ${MINILM}.`);
const withMiniLm = hasMiniLm ? test : test.skip;

type Content = Record<string, ModelContent[string] | undefined>;

/** Opens the tiny encoder with some files replaced and runs `body`. */
const withEncoder = (
  changes: Content,
  body: (encoder: Encoder, folder: string) => Promise<void>,
): Promise<void> =>
  withFolder(async (folder) => {
    const encoder = await openEncoder(writeModel(join(folder, 'tiny'), tinyEncoder(), changes), {
      threads: 1,
    });
    try {
      await body(encoder, folder);
    } finally {
      await encoder.close();
    }
  });

const refused = (changes: Content, code: string, message: RegExp): Promise<void> =>
  withFolder(async (folder) => {
    await expect(openEncoder(writeModel(folder, tinyEncoder(), changes))).rejects.toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

const mean = (tokens: string[]): number[] =>
  [0, 1, 2, 3].map(
    (i) => tokens.reduce((sum, token) => sum + weight(VOCAB.get(token)!, i), 0) / tokens.length,
  );

const closeTo = (actual: Iterable<number>, expected: Iterable<number>, tolerance = 1e-6): void => {
  const a = [...actual];
  const b = [...expected];
  expect(a.length).toBe(b.length);
  expect(Math.max(0, ...a.map((value, i) => Math.abs(value - b[i]!)))).toBeLessThanOrEqual(tolerance);
};

describe('encoder', () => {
  test('gives the vectors in the caller’s order, tokens and cuts counted', async () => {
    await withEncoder({}, async (encoder) => {
      expect([encoder.name, encoder.dim, encoder.maxTokens]).toEqual(['tiny', 4, 32]);
      expect(encoder.hash).toMatch(/^[0-9a-f]{64}$/);
      const progress: number[] = [];
      const texts = ['sea', '', 'river sea!', 'sea '.repeat(100)];
      const { vectors, tokens, truncated } = await encoder.encode(texts, {
        kind: 'document',
        onProgress: (done) => progress.push(done.texts),
      });
      expect([tokens, truncated]).toEqual([3 + 2 + 5 + 32, 1]);
      expect(progress).toEqual([4]);
      const long = ['[CLS]', ...Array<string>(30).fill('sea'), '[SEP]'];
      const expected = [
        ['[CLS]', 'sea', '[SEP]'],
        ['[CLS]', '[SEP]'],
        ['[CLS]', 'river', 'sea', '!', '[SEP]'],
        long,
      ];
      closeTo(vectors, expected.flatMap(mean));
      expect((await encoder.encode([], { kind: 'query' })).vectors.length).toBe(0);
    });
  });

  test('tells what it reads of a text, the prompt included', async () => {
    const prompts = { prompts: { query: 'sea ', passage: 'river ' }, default_prompt_name: null };
    await withEncoder({ 'config_sentence_transformers.json': prompts }, async (encoder) => {
      expect(await encoder.read(['sea', '', `${'river '.repeat(40)}`], 'query')).toEqual([
        { kept: 2, cut: 0, end: 3 },
        { kept: 1, cut: 0, end: 0 },
        { kept: 30, cut: 11, end: 29 * 6 - 1 },
      ]);
      const { truncatedTexts } = await encoder.encode(['sea', 'river '.repeat(30), 'a', 'sea '.repeat(40)], {
        kind: 'document',
      });
      expect(truncatedTexts).toEqual([1, 3]);
      await expect(encoder.read(['sea'], 'other' as never)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    });
  });

  test('adds the prompt of the kind and normalises where the model’s files say so', async () => {
    const prompts = { prompts: { query: 'sea ', passage: 'river ' }, default_prompt_name: null };
    const normalized = [
      ...(tinyEncoder()['modules.json'] as object[]),
      { type: 'sentence_transformers.models.Normalize' },
    ];
    await withEncoder(
      {
        'config_sentence_transformers.json': prompts,
        'modules.json': normalized,
        'sentence_bert_config.json': { max_seq_length: 8 },
      },
      async (encoder) => {
        expect(encoder.maxTokens).toBe(8);
        for (const [kind, prompt] of [
          ['query', 'sea'],
          ['document', 'river'],
        ] as const) {
          const { vectors } = await encoder.encode(['b'], { kind });
          const plain = mean(['[CLS]', prompt, 'b', '[SEP]']);
          closeTo(
            vectors,
            plain.map((value) => value / Math.hypot(...plain)),
          );
        }
        expect(await encoder.windows('sea river sea sea river sea', { maxTokens: 8, overlap: 0 })).toEqual([
          { start: 0, end: 23 },
          { start: 24, end: 27 },
        ]);
      },
    );
  });

  test('takes a pooled output as it is', async () => {
    const graph = writeOnnx({
      nodes: [
        { op: 'Gather', inputs: ['table', 'input_ids'], outputs: ['rows'] },
        {
          op: 'ReduceMax',
          inputs: ['rows'],
          outputs: ['sentence_embedding'],
          attributes: { axes: [1], keepdims: 0 },
        },
      ],
      initializers: [
        {
          name: 'table',
          type: 'float32',
          dims: [VOCAB.size, 2],
          data: Float32Array.from({ length: VOCAB.size * 2 }, (_, i) => i),
        },
      ],
      inputs: [{ name: 'input_ids', type: 'int64', dims: ['batch', 'sequence'] }],
      outputs: [{ name: 'sentence_embedding', type: 'float32', dims: ['batch', 2] }],
    });
    await withEncoder({ 'onnx/model.onnx': graph, 'modules.json': undefined }, async (encoder) => {
      const { vectors } = await encoder.encode(['sea'], { kind: 'query' });
      const sea = VOCAB.get('sea')!;
      expect([...vectors]).toEqual([2 * sea, 2 * sea + 1]);
    });
  });

  test('arguments are checked and a signal is obeyed', async () => {
    await withEncoder({}, async (encoder) => {
      const encode = (texts: unknown, kind = 'query') =>
        encoder.encode(texts as string[], { kind: kind as 'query' });
      await expect(encode('sea')).rejects.toThrow(/texts must be an array/);
      await expect(encode(['sea', 3])).rejects.toThrow(/got 3 at index 1/);
      await expect(encode(['sea'], 'title')).rejects.toThrow(/kind must be/);
      await expect(encoder.windows('sea', { maxTokens: 8, overlap: 8 })).rejects.toThrow(/overlap/);
      const reason = new Error('enough');
      await expect(
        encoder.encode(['sea'], { kind: 'query', signal: AbortSignal.abort(reason) }),
      ).rejects.toBe(reason);
      const controller = new AbortController();
      let seen = 0;
      const texts = Array<string>(20_000).fill('sea river');
      const call = encoder.encode(texts, {
        kind: 'document',
        signal: controller.signal,
        onProgress: ({ texts: done }) => {
          seen = done;
          controller.abort(reason);
        },
      });
      await expect(call).rejects.toBe(reason);
      expect(seen).toBeLessThan(texts.length);
      const failing = encoder.encode(texts, {
        kind: 'document',
        onProgress: () => {
          throw reason;
        },
      });
      await expect(failing).rejects.toBe(reason);
      expect((await encoder.encode(['sea'], { kind: 'query' })).tokens).toBe(3);
    });
  });

  test('calls at once are answered, close waits for them, later ones are refused', async () => {
    await withEncoder({}, async (encoder) => {
      const calls = ['sea', 'river', 'a'].map((text) => encoder.encode([text], { kind: 'query' }));
      const closed = encoder.close();
      const results = await Promise.all(calls);
      closeTo(results[1]!.vectors, mean(['[CLS]', 'river', '[SEP]']));
      await closed;
      await encoder.close();
      await expect(encoder.encode(['sea'], { kind: 'query' })).rejects.toThrow(
        expect.objectContaining({ code: 'ERR_CLOSED' }),
      );
    });
  });

  test('goes on when its files are deleted', async () => {
    await withEncoder({}, async (encoder, folder) => {
      rmSync(folder, { recursive: true });
      closeTo((await encoder.encode(['sea'], { kind: 'query' })).vectors, mean(['[CLS]', 'sea', '[SEP]']));
    });
  });

  test('models that are damaged or do not fit are refused with the remedy', async () => {
    await refused({ 'config.json': undefined }, 'ERR_MODEL', /lacks config\.json.*fetch/);
    await refused({ 'onnx/model.onnx': undefined }, 'ERR_MODEL', /lacks onnx\/model\.onnx or model\.onnx/);
    await refused({ 'config.json': '{' }, 'ERR_MODEL', /config\.json should be readable JSON/);
    await refused(
      { 'config.json': { vocab_size: 50 } },
      'ERR_MODEL',
      /tokenizer\.json has \d+ tokens.*config\.json.*50/,
    );
    await refused({ 'config.json': { vocab_size: 30_522 } }, 'ERR_MODEL', /do not belong together/);
    await refused({ 'config.json': {} }, 'ERR_MODEL', /vocab_size as a number, got undefined/);
    await refused(
      { 'onnx/model.onnx': 'not a graph' },
      'ERR_MODEL',
      /structure is damaged|should be readable/,
    );
    await refused({ '1_Pooling/config.json': undefined }, 'ERR_MODEL', /1_Pooling/);
    await refused({ 'modules.json': [{ type: 'x.Transformer' }, { type: 'x.Dense' }] }, 'ERR_MODEL', /Dense/);
    await refused(
      { 'onnx/model.onnx': tinyRanker()['model.onnx'] },
      'ERR_MODEL',
      /logits.*no embedding model/,
    );
    const config = { vocab_size: VOCAB.size, max_position_embeddings: 16 };
    await withFolder(async (folder) => {
      const model = writeModel(folder, tinyEncoder(), { 'config.json': config });
      await expect(openEncoder(model, { maxTokens: 17 })).rejects.toThrow(
        /maxTokens must be .* from 8 to 16/,
      );
    });
    const wrong = { ...TOKENIZER, added_tokens: [...TOKENIZER.added_tokens, { id: 5000, content: 'zzz' }] };
    await refused({ 'tokenizer.json': wrong }, 'ERR_MODEL', /5001 tokens/);
  });

  test('NaN in an output is an error, at once or when it comes up', async () => {
    const table = new Float32Array(VOCAB.size * 4).fill(0.5);
    table.fill(Number.NaN, 4 * VOCAB.get('sea')!, 4 * VOCAB.get('sea')! + 1);
    await withEncoder({ 'onnx/model.onnx': tinyEncoder(4, table)['onnx/model.onnx'] }, async (encoder) => {
      expect((await encoder.encode(['river'], { kind: 'query' })).tokens).toBe(3);
      await expect(encoder.encode(['river', 'sea'], { kind: 'query' })).rejects.toThrow(
        expect.objectContaining({ code: 'ERR_MODEL_OUTPUT' }),
      );
    });
    const broken = tinyEncoder(4, table.fill(Number.NaN))['onnx/model.onnx'];
    await refused({ 'onnx/model.onnx': broken }, 'ERR_MODEL_OUTPUT', /should be finite/);
  });

  withMiniLm('MiniLM: the values of its card, whatever else is in the batch', async () => {
    const encoder = await openEncoder(MINILM);
    const card = 'This is an example sentence';
    const alone = await encoder.encode([card], { kind: 'query' });
    closeTo(alone.vectors.subarray(0, 4), [0.0676569, 0.06349587, 0.04871314, 0.07930491], 1e-6);
    const texts = ['', card, 'sea', `${card} ${'and much more '.repeat(30)}`, '\ud800', 'a'.repeat(500)];
    const together = await encoder.encode(texts, { kind: 'document' });
    for (const [i, text] of texts.entries()) {
      const { vectors } = await encoder.encode([text], { kind: 'document' });
      closeTo(together.vectors.subarray(i * 384, (i + 1) * 384), vectors, 1e-5);
    }
    await encoder.close();
  });

  withMiniLm('MiniLM: a lack of its weights, which lie in another file, is named', async () => {
    await withFolder(async (folder) => {
      mkdirSync(join(folder, 'm'));
      for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.onnx']) {
        cpSync(join(MINILM, name), join(folder, 'm', name));
      }
      await expect(openEncoder(join(folder, 'm'))).rejects.toThrow(/lacks model\.safetensors/);
      cpSync(join(MINILM, 'model.safetensors'), join(folder, 'm', 'model.safetensors'));
      const encoder = await openEncoder(join(folder, 'm'));
      // No modules.json: the mean of the token vectors, as sentence-transformers does, not normalised.
      const { vectors } = await encoder.encode(['This is an example sentence'], { kind: 'query' });
      const norm = Math.hypot(...vectors);
      expect(norm).toBeGreaterThan(1.5);
      closeTo([vectors[0]! / norm, vectors[1]! / norm], [0.0676569, 0.06349587], 1e-6);
      await encoder.close();
    });
  });
});
