import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openCheckpoint } from '../../ts/graph/checkpoint.ts';
import { dequantize } from '../../ts/graph/dequantize.ts';
import { writeTransformer } from '../../ts/graph/writeTransformer.ts';
import { openSession } from '../../ts/models/session.ts';
import { describeWithShared } from '../helpers/describeWithShared.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
const GGUF = 'SmolLM2-135M-Instruct.Q4_1.gguf';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seine-checkpoint-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('blocks of codes', () => {
  /** A scale of 0.5, which as a half is 0x3800. */
  const scale = [0x00, 0x38];

  test('Q8_0: each code times the scale', () => {
    const codes = Array.from({ length: 32 }, (_, i) => i - 16);
    const raw = Uint8Array.from([...scale, ...codes]);
    expect([...dequantize('Q8_0', raw, 32)]).toEqual(codes.map((code) => code / 2));
  });

  test('Q4_0 and Q4_1: the low halves of bytes first, then the high ones', () => {
    const bytes = Array.from({ length: 16 }, (_, i) => i | ((15 - i) << 4));
    const codes = [
      ...Array.from({ length: 16 }, (_, i) => i),
      ...Array.from({ length: 16 }, (_, i) => 15 - i),
    ];
    expect([...dequantize('Q4_0', Uint8Array.from([...scale, ...bytes]), 32)]).toEqual(
      codes.map((code) => (code - 8) / 2),
    );
    const minimum = [0x00, 0xbc]; // -1
    expect([...dequantize('Q4_1', Uint8Array.from([...scale, ...minimum, ...bytes]), 32)]).toEqual(
      codes.map((code) => code / 2 - 1),
    );
  });

  test('halves: subnormal, normal, negative', () => {
    const bits = Uint16Array.of(0x0001, 0x3c00, 0xc500, 0x8000);
    expect([...dequantize('F16', new Uint8Array(bits.buffer), 4)]).toEqual([2 ** -24, 1, -5, -0]);
  });
});

describe('a checkpoint that cannot be used', () => {
  const write = (name: string, content: string | Uint8Array): void =>
    writeFileSync(join(folder, name), content);

  test('a folder without weights', () => {
    expect(() => openCheckpoint(folder)).toThrow(/has no weights: it needs model\.safetensors/);
  });

  test('an unknown architecture names what was found', () => {
    copyFileSync(fixture('bert/model.safetensors'), join(folder, 'model.safetensors'));
    write('config.json', JSON.stringify({ model_type: 'mamba' }));
    expect(() => writeTransformer(openCheckpoint(folder), { kind: 'states' })).toThrow(
      /one of the types bert, .*but its config\.json says "mamba"/,
    );
  });

  test('a configuration of another model names the tensor', () => {
    copyFileSync(fixture('bert/model.safetensors'), join(folder, 'model.safetensors'));
    const config = JSON.parse(readFileSync(fixture('bert/config.json'), 'utf8'));
    write('config.json', JSON.stringify({ ...config, intermediate_size: 25 }));
    expect(() => writeTransformer(openCheckpoint(folder), { kind: 'states' })).toThrow(
      /should have a tensor "encoder\.layer\.0\.intermediate\.dense\.weight" of shape \[25, 16\], got \[24, 16\]/,
    );
  });

  test('an encoder has no words to predict', () => {
    expect(() => writeTransformer(openCheckpoint(fixture('bert')), { kind: 'language' })).toThrow(
      /should be a decoder, to predict words, but is of the type "bert"/,
    );
  });

  test('safetensors that end too early, at every kind of place', () => {
    const whole = readFileSync(fixture('bert/model.safetensors'));
    write('config.json', readFileSync(fixture('bert/config.json')));
    for (const size of [0, 7, 8, 100, whole.length - 1]) {
      write('model.safetensors', whole.subarray(0, size));
      expect(() => openCheckpoint(folder)).toThrow(expect.objectContaining({ code: 'ERR_CORRUPT' }));
    }
  });

  test('an index that names a file elsewhere', () => {
    write('config.json', '{}');
    write('model.safetensors.index.json', JSON.stringify({ weight_map: { x: '../model.safetensors' } }));
    expect(() => openCheckpoint(folder)).toThrow(/should give weight_map/);
  });

  test('what is no GGUF, or two of them', () => {
    write('a.gguf', 'GGUX and more than twenty-four bytes');
    expect(() => openCheckpoint(folder)).toThrow(
      /a\.gguf should be a GGUF file, but it does not begin like one/,
    );
    write('b.gguf', '');
    expect(() => openCheckpoint(folder)).toThrow(/should have one GGUF file but has a\.gguf, b\.gguf/);
  });
});

describeWithShared('SmolLM2 from its GGUF', 'models/SmolLM2-135M-Instruct', (smol) => {
  test('its configuration is that of config.json', () => {
    const { config } = openCheckpoint(smol);
    symlinkSync(join(smol, GGUF), join(folder, GGUF));
    const own = openCheckpoint(folder).config;
    for (const name of [
      'hidden_size',
      'intermediate_size',
      'num_key_value_heads',
      'rope_theta',
      'vocab_size',
    ]) {
      expect(own[name]).toBe(config[name]);
    }
    expect(own.rms_norm_eps).toBeCloseTo(config.rms_norm_eps as number, 10);
    expect(own.tie_word_embeddings).toBe(true);
  });

  test('logits of the next word are those of transformers, and of llama.cpp but for its rounding', async () => {
    const { ids, words, logits, best } = JSON.parse(readFileSync(fixture('smolLM2.json'), 'utf8'));
    const theirs = JSON.parse(readFileSync(fixture('llamaCpp.json'), 'utf8')).smolLM2;
    const wanted = [...words, ...best];
    const { onnx, externalFolder } = writeTransformer(openCheckpoint(smol), { kind: 'words', ids: wanted });
    const session = await openSession(onnx, { externalFolder });
    const rows = (value: (i: number) => number) => ({
      type: 'int64' as const,
      dims: [2, ids.length + 3],
      // The second item is shorter and ends in padding.
      data: BigInt64Array.from({ length: 2 * (ids.length + 3) }, (_, i) => BigInt(value(i))),
    });
    const length = (i: number): number => (i < ids.length + 3 ? ids.length : 4);
    const column = (i: number): number => i % (ids.length + 3);
    const outputs = await session.run({
      input_ids: rows((i) => (column(i) < length(i) ? ids[column(i)] : 2)),
      attention_mask: rows((i) => Number(column(i) < length(i))),
    });
    const got = outputs.logits!.data as Float32Array;
    await session.release();
    const worst = logits.reduce(
      (most: number, value: number, i: number) => Math.max(most, Math.abs(value - got[i]!)),
      0,
    );
    expect(worst).toBeLessThan(1e-3);
    const of = (word: number): number => got[wanted.indexOf(word, words.length)]!;
    expect([...best].sort((a, b) => of(b) - of(a))).toEqual(best);
    // llama.cpp rounds activations to 8 bits in blocks before each product with codes: a logit in some units of 0.1.
    const squares = theirs.logits.reduce((sum: number, x: number, i: number) => sum + (x - got[i]!) ** 2, 0);
    expect(Math.sqrt(squares / words.length)).toBeLessThan(0.15);
    expect(theirs.best.slice(0, 4)).toEqual(best.slice(0, 4));
  }, 120_000);
});
