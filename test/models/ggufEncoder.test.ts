import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openCheckpoint } from '../../ts/graph/checkpoint.ts';
import { writeTransformer } from '../../ts/graph/writeTransformer.ts';
import { openCrossEncoder } from '../../ts/models/crossEncoder.ts';
import { openEncoder } from '../../ts/models/encoder.ts';
import { exportCheckpoint } from '../../ts/models/exportCheckpoint.ts';
import { modelTokenizer } from '../../ts/models/modelTokenizer.ts';
import { disagreement, families, runOnTexts } from './familyModel.ts';

const fixtures = fileURLToPath(new URL('../graph/fixtures/bertGguf/', import.meta.url));

interface Made {
  texts: string[];
  ids: number[][];
  /** By the format of the matrices, what `transformers` gives (makeBertGguf.py); F16's is of the first tokens. */
  vectors: Record<string, number[]>;
}
const made: Made = JSON.parse(readFileSync(join(fixtures, 'vectors.json'), 'utf8'));

let folder: string;
let model: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seine-gguf-'));
  model = join(folder, 'model');
  mkdirSync(model);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const put = (format: string): void =>
  copyFileSync(join(fixtures, `${format}.gguf`), join(model, 'model.gguf'));

async function vectorsOf(directory: string): Promise<Float32Array> {
  const encoder = await openEncoder(directory);
  const { vectors } = await encoder.encode(made.texts, { kind: 'document' });
  await encoder.close();
  return vectors;
}

/** The file with a value of its metadata overwritten by one of the same length. */
function edited(format: string, from: string | Buffer, to: string | Buffer): Buffer {
  const bytes = readFileSync(join(fixtures, `${format}.gguf`));
  const at = bytes.indexOf(from);
  expect(at).toBeGreaterThan(0);
  bytes.set(Buffer.from(to), at);
  return bytes;
}

describe('a BERT that is a GGUF file and nothing else', () => {
  test.each(Object.keys(made.vectors))(
    '%s: embeds as transformers does with the same numbers',
    async (format) => {
      put(format);
      expect(disagreement(await vectorsOf(model), made.vectors[format]!)).toBeLessThan(1e-5);
    },
  );

  test('cuts texts into the tokens of its vocabulary', async () => {
    put('Q4_0');
    const tokenizer = await modelTokenizer(model);
    expect(made.texts.map((text) => [...tokenizer.single(text, 24).ids])).toEqual(made.ids);
    expect(tokenizer.specialTokens.get('[MASK]')).toBe(4);
    // One token with a capital letter, and cases are told apart.
    writeFileSync(join(model, 'model.gguf'), edited('Q4_0', '\u2581river', '\u2581River'));
    const cased = await modelTokenizer(model);
    expect([...cased.part('River river', 9).ids]).toEqual([6, 1]);
  });

  test('is exported with the tokenizer and the pooling that its metadata tell', async () => {
    put('F16');
    const target = join(folder, 'exported');
    const { files } = await exportCheckpoint(model, target);
    expect(Object.keys(files)).toEqual([
      '1_Pooling/config.json',
      'config.json',
      'model.safetensors',
      'modules.json',
      'onnx/model.onnx',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(disagreement(await vectorsOf(target), made.vectors.F16!)).toBeLessThan(1e-5);
  });

  test('is no ranker, and not a causal model', async () => {
    put('F32');
    await expect(openCrossEncoder(model)).rejects.toThrow(/should be a model for sequence classification/);
    const key = Buffer.from('bert.attention.causal');
    const causal = Buffer.concat([key, Buffer.from([7, 0, 0, 0, 1])]);
    writeFileSync(join(model, 'model.gguf'), edited('F32', key, causal));
    expect(() => openCheckpoint(model)).toThrow(
      /reads from left to right \(bert\.attention\.causal is true\), which Seine does not/,
    );
  });

  test('with a vocabulary of another kind needs tokenizer.json', async () => {
    const kind = Buffer.concat([
      Buffer.from('tokenizer.ggml.model'),
      Buffer.from([8, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0]),
    ]);
    writeFileSync(
      join(model, 'model.gguf'),
      edited('F32', Buffer.concat([kind, Buffer.from('bert')]), Buffer.concat([kind, Buffer.from('gpt2')])),
    );
    await expect(openEncoder(model)).rejects.toThrow(/lacks tokenizer\.json/);
  });

  test('whose special tokens are not special says which is missing', async () => {
    const key = Buffer.from('tokenizer.ggml.bos_token_id');
    const id = Buffer.concat([key, Buffer.from([4, 0, 0, 0, 9])]);
    writeFileSync(join(model, 'model.gguf'), edited('F32', key, id));
    await expect(openEncoder(model)).rejects.toThrow(
      /should have a special token with the id 9, its tokenizer\.ggml\.cls_token_id/,
    );
  });

  test('of another type than the config.json beside it does not open', () => {
    put('F32');
    writeFileSync(join(model, 'config.json'), JSON.stringify({ model_type: 'qwen3' }));
    expect(() => openCheckpoint(model)).toThrow(/is of the type "qwen3" and model\.gguf of bert or roberta/);
    writeFileSync(
      join(model, 'config.json'),
      JSON.stringify({ model_type: 'roberta', max_position_embeddings: 26 }),
    );
    expect(openCheckpoint(model).config).toMatchObject({ model_type: 'bert', max_position_embeddings: 24 });
  });
});

test('a RoBERTa, whose positions a GGUF counts from 0, has the hidden states of transformers', async () => {
  put('roberta');
  const { onnx, externalFolder } = writeTransformer(openCheckpoint(model), { kind: 'states' });
  const types = families.types.map((row) => row.map(() => 0)); // it has no second one
  const got = await runOnTexts(onnx, { externalFolder }, types);
  expect(disagreement(got, families.expected.roberta!.states)).toBeLessThan(1e-5);
});
