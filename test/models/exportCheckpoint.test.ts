import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openCheckpoint } from '../../ts/graph/checkpoint.ts';
import { readTensor } from '../../ts/graph/checkpointTensor.ts';
import { writeTransformer } from '../../ts/graph/writeTransformer.ts';
import { openCrossEncoder } from '../../ts/models/crossEncoder.ts';
import { openEncoder } from '../../ts/models/encoder.ts';
import { exportCheckpoint } from '../../ts/models/exportCheckpoint.ts';
import { externalData } from '../../ts/models/externalData.ts';
import { headOf } from '../../ts/models/headOf.ts';
import { writeGraph } from '../../ts/models/writeGraph.ts';
import { writeGguf } from '../graph/writeGguf.ts';
import { describeWithShared } from '../helpers/describeWithShared.ts';
import { copyFamily, disagreement, families, familyNames, runOnTexts } from './familyModel.ts';

let folder: string;
let model: string;
let target: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seine-export-'));
  model = join(folder, 'model');
  target = join(folder, 'made', 'exported');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const graphOf = (directory: string): string => join(directory, 'onnx', 'model.onnx');
const configOf = (directory: string) => JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8'));

describe('an exported model', () => {
  test.each(familyNames)('%s: its graph and its weights give what transformers gives', async (name) => {
    const { head, files } = await exportCheckpoint(copyFamily(name, model), target);
    const { states, logits } = families.expected[name]!;
    const wanted = logits ?? states;
    expect(disagreement(await runOnTexts(graphOf(target)), wanted)).toBeLessThan(1e-5);

    const checkpoint = openCheckpoint(target);
    const { onnx, externalFolder } = writeTransformer(checkpoint, headOf(checkpoint));
    expect(headOf(checkpoint).kind).toBe(head);
    expect(disagreement(await runOnTexts(onnx, { externalFolder }), wanted)).toBeLessThan(1e-5);
    expect(Object.keys(files)).toEqual([
      'config.json',
      'model.safetensors',
      'onnx/model.onnx',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
  });

  test.each([
    ['llama', 'BF16', 'bfloat16'],
    ['qwen2', 'F16', 'float16'],
    ['bert', 'F32', 'float32'],
  ])('%s keeps its numbers as %s, bit for bit', async (name, format, type) => {
    await exportCheckpoint(copyFamily(name, model), target);
    const [before, after] = [openCheckpoint(model).tensors, openCheckpoint(target).tensors];
    expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
    for (const [key, tensor] of after) {
      expect(tensor).toMatchObject({ format, shape: before.get(key)!.shape });
      expect(readTensor(key, tensor)).toEqual(readTensor(key, before.get(key)!));
    }
    expect(configOf(target).torch_dtype).toBe(type);
  });

  test('what no graph reads is kept, whatever its type', async () => {
    copyFamily('bertBase', model);
    const path = join(model, 'model.safetensors');
    const whole = readFileSync(path);
    const size = Number(whole.readBigUInt64LE());
    const header = JSON.parse(whole.toString('utf8', 8, 8 + size));
    const ids = Buffer.from(BigInt64Array.of(0n, 1n, 2n).buffer);
    const end = whole.length - 8 - size;
    header['embeddings.position_ids'] = { dtype: 'I64', shape: [1, 3], data_offsets: [end, end + 24] };
    const json = Buffer.from(JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    writeFileSync(path, Buffer.concat([length, json, whole.subarray(8 + size), ids]));
    await exportCheckpoint(model, target);
    const { offset, bytes, format } = openCheckpoint(target).tensors.get('embeddings.position_ids')!;
    expect(format).toBe('I64');
    expect(readFileSync(join(target, 'model.safetensors')).subarray(offset, offset + bytes)).toEqual(ids);
  });

  test('numbers of config.json keep their digits', async () => {
    await exportCheckpoint(copyFamily('modernBert', model), target);
    expect(readFileSync(join(target, 'config.json'), 'utf8')).toContain('"initializer_cutoff_factor": 2.0,');
  });

  test('a GGUF becomes float32 in the order of Hugging Face', async () => {
    copyFamily('llama', model);
    const gguf = writeGguf(openCheckpoint(model));
    rmSync(join(model, 'model.safetensors'));
    writeFileSync(join(model, 'model.gguf'), gguf);
    await exportCheckpoint(model, target);
    expect(disagreement(await runOnTexts(graphOf(target)), families.expected.llama!.logits!)).toBeLessThan(
      1e-5,
    );
    expect(configOf(target)).toMatchObject({ torch_dtype: 'float32', num_key_value_heads: 2 });
    const key = 'model.layers.0.self_attn.q_proj.weight';
    cpSync(copyFamily('llama', join(folder, 'plain')), join(folder, 'again'), { recursive: true });
    const before = openCheckpoint(join(folder, 'plain')).tensors.get(key)!;
    expect(readTensor(key, openCheckpoint(target).tensors.get(key)!)).toEqual(readTensor(key, before));
  });

  test('weights that a graph cannot hold lie beside it', async () => {
    await exportCheckpoint(copyFamily('llama', model), target);
    const { external } = await writeGraph(openCheckpoint(target), { kind: 'language' }, 1000);
    expect(external).toBe(true);
    expect(await externalData(graphOf(target))).toEqual(['model.onnx_data']);
    expect(disagreement(await runOnTexts(graphOf(target)), families.expected.llama!.logits!)).toBeLessThan(
      1e-5,
    );
  });

  test('an embedder with modules and a ranker open as before', async () => {
    const write = (name: string, value: object): void =>
      writeFileSync(join(model, name), JSON.stringify(value));
    copyFamily('bertBase', model);
    const types = ['Transformer', 'Pooling', 'Normalize'];
    write(
      'modules.json',
      types.map((type, i) => ({
        path: i === 0 ? '' : `${i}_${type}`,
        type: `sentence_transformers.${type}`,
      })),
    );
    mkdirSync(join(model, '1_Pooling'));
    write('1_Pooling/config.json', { pooling_mode_cls_token: true });
    await exportCheckpoint(model, target);
    const texts = ['abc', 'a b c d e f g'];
    const [before, after] = [await openEncoder(model), await openEncoder(target)];
    const [wanted, got] = [
      await before.encode(texts, { kind: 'document' }),
      await after.encode(texts, { kind: 'document' }),
    ];
    expect(disagreement(got.vectors, wanted.vectors)).toBeLessThan(1e-5);
    await Promise.all([before.close(), after.close()]);

    const made = join(folder, 'ranker');
    await exportCheckpoint(copyFamily('roberta', join(folder, 'roberta')), made);
    const [first, second] = [await openCrossEncoder(join(folder, 'roberta')), await openCrossEncoder(made)];
    const [expected, scored] = [await first.score('abc', texts), await second.score('abc', texts)];
    expect(disagreement(scored.scores, expected.scores)).toBeLessThan(1e-5);
    await Promise.all([first.close(), second.close()]);
  });
});

describe('an export that fails leaves nothing behind', () => {
  const refused = async (code: string, message: RegExp): Promise<void> => {
    await expect(exportCheckpoint(model, target)).rejects.toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
    expect(existsSync(join(folder, 'made')) ? readdirSync(join(folder, 'made')) : []).toEqual([]);
  };

  test('no model there', () => refused('ERR_NOT_FOUND', /A model's directory should be at/));

  test('no tokenizer', async () => {
    rmSync(join(copyFamily('bert', model), 'tokenizer.json'));
    await refused('ERR_MODEL', /lacks tokenizer\.json/);
  });

  test('another head', async () => {
    copyFamily('bert', model);
    const config = { ...configOf(model), architectures: ['BertForMaskedLM'] };
    writeFileSync(join(model, 'config.json'), JSON.stringify(config));
    await refused('ERR_MODEL', /its architectures are "BertForMaskedLM"/);
  });

  test('a configuration of another model', async () => {
    copyFamily('bert', model);
    writeFileSync(join(model, 'config.json'), JSON.stringify({ ...configOf(model), intermediate_size: 25 }));
    await refused('ERR_MODEL', /should have a tensor "encoder\.layer\.0\.intermediate\.dense\.weight"/);
  });

  test('modules outside of the model', async () => {
    copyFamily('bert', model);
    writeFileSync(join(model, 'modules.json'), JSON.stringify([{ path: '../elsewhere' }]));
    await refused('ERR_MODEL', /should be a list of modules/);
  });

  test('a directory that is there is not touched', async () => {
    mkdirSync(target, { recursive: true });
    await expect(exportCheckpoint(copyFamily('bert', model), target)).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_ARGUMENT', message: expect.stringContaining('is there already') }),
    );
    expect(readdirSync(target)).toEqual([]);
  });

  test('a folder that cannot be made', async () => {
    writeFileSync(join(folder, 'made'), 'a file');
    await expect(exportCheckpoint(copyFamily('bert', model), target)).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_DISK' }),
    );
  });

  test('interrupted', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const done = exportCheckpoint(copyFamily('bert', model), target, {
      signal: controller.signal,
      onTensor: (count) => count === 3 && controller.abort(reason),
    });
    await expect(done).rejects.toBe(reason);
    expect(readdirSync(join(folder, 'made'))).toEqual([]);
  });
});

describeWithShared('all-MiniLM-L6-v2', 'models/all-MiniLM-L6-v2', (miniLM) => {
  test('exported, embeds as its own graph', async () => {
    await exportCheckpoint(miniLM, target);
    const [before, after] = [await openEncoder(miniLM), await openEncoder(target)];
    const encode = (encoder: typeof before) =>
      encoder.encode(['This is an example sentence'], { kind: 'query' });
    const [wanted, got] = [await encode(before), await encode(after)];
    expect(disagreement(got.vectors, wanted.vectors)).toBeLessThan(1e-5);
    await Promise.all([before.close(), after.close()]);
  });
});
