import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { random } from '../../../ts/core/random.ts';
import { openCheckpoint } from '../../../ts/graph/checkpoint.ts';
import { readTensor } from '../../../ts/graph/checkpointTensor.ts';
import { withLayers } from '../../../ts/graph/withLayers.ts';
import { writeTransformer } from '../../../ts/graph/writeTransformer.ts';
import { openCrossEncoder } from '../../../ts/models/crossEncoder.ts';
import { headOf } from '../../../ts/models/headOf.ts';
import { calibrate, runCalibration } from '../../../ts/offline/prune/calibration.ts';
import { gramMatrices } from '../../../ts/offline/prune/gramMatrices.ts';
import { type PruneOptions, pruneModel } from '../../../ts/offline/prune/pruneModel.ts';
import { copyFamily, disagreement, familyNames, runOnTexts } from '../../models/familyModel.ts';

let folder: string;
let model: string;
let target: string;
let calibration: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'seine-prune-'));
  [model, target] = [join(folder, 'model'), join(folder, 'pruned')];
  calibration = join(folder, 'texts.jsonl');
  const chance = random(1);
  const letters = (): string => String.fromCharCode(97 + chance.below(8));
  const lines = Array.from({ length: 60 }, () =>
    JSON.stringify({
      title: letters(),
      text: Array.from({ length: 4 + chance.below(12) }, letters).join(' '),
    }),
  );
  writeFileSync(calibration, `${lines.join('\n')}\n`);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const options = (some: Partial<PruneOptions>): PruneOptions => ({
  calibration,
  neurons: 0,
  heads: 0,
  layers: 0,
  method: 'reconstruction',
  seed: 0,
  ...some,
});
const configOf = (directory: string) => JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8'));

describe('a pruned model', () => {
  test.each(familyNames)('%s: half of the neurons; graph and reader agree', async (name) => {
    const summary = await pruneModel(copyFamily(name, model), target, options({ neurons: 0.5 }));
    expect(summary.neurons).toMatchObject({ before: 24, after: 12 });
    expect(configOf(target).intermediate_size).toBe(12);
    const checkpoint = openCheckpoint(target);
    const { onnx, externalFolder } = writeTransformer(checkpoint, headOf(checkpoint));
    const read = await runOnTexts(onnx, { externalFolder });
    expect(disagreement(await runOnTexts(join(target, 'onnx', 'model.onnx')), read)).toBeLessThan(1e-5);
    expect(summary.error).toBeGreaterThan(0);
    expect(summary.parameters.after).toBeLessThan(summary.parameters.before);
  });

  test.each(['llama', 'qwen2', 'qwen3'])('%s: one of two groups of heads, and layers', async (name) => {
    const wanted = { heads: 0.5, layers: 1 };
    const summary = await pruneModel(copyFamily(name, model), target, options(wanted));
    const width = name === 'qwen3' ? 8 : 4;
    expect(configOf(target)).toMatchObject({
      num_attention_heads: 2,
      num_key_value_heads: 1,
      head_dim: width,
      num_hidden_layers: 1,
    });
    expect(summary.heads).toMatchObject({ before: 2, after: 1 });
    expect(summary.layers).toMatchObject({ before: 2, after: 1, removed: [expect.any(Number)] });
    const checkpoint = openCheckpoint(target);
    const { onnx, externalFolder } = writeTransformer(checkpoint, headOf(checkpoint));
    expect((await runOnTexts(onnx, { externalFolder })).every(Number.isFinite)).toBe(true);
  });

  test('opens as a ranker', async () => {
    await pruneModel(copyFamily('roberta', model), target, options({ neurons: 0.25, layers: 1 }));
    const ranker = await openCrossEncoder(target);
    const { scores } = await ranker.score('abc', ['a b', 'c']);
    expect(scores.every(Number.isFinite)).toBe(true);
    await ranker.close();
  });

  test('nothing left out changes nothing', async () => {
    const { error } = await pruneModel(copyFamily('llama', model), target, options({}));
    expect(error).toBe(0);
    const [before, after] = [openCheckpoint(model).tensors, openCheckpoint(target).tensors];
    for (const [name, tensor] of before) {
      expect(readTensor(name, after.get(name)!)).toEqual(readTensor(name, tensor));
    }
  });

  test('neurons that are copies of others are left out without loss', async () => {
    copyFamily('bert', model);
    const file = join(model, 'model.safetensors');
    const bytes = readFileSync(file);
    for (const [name, { shape, offset }] of openCheckpoint(model).tensors) {
      if (!name.includes('.intermediate.dense.')) continue;
      const half = (shape.reduce((product, dim) => product * dim, 1) / 2) * 4;
      bytes.copy(bytes, offset + half, offset, offset + half); // rows 12 to 23 become rows 0 to 11
    }
    writeFileSync(file, bytes);
    const exact = await pruneModel(model, target, options({ neurons: 0.5 }));
    expect(exact.error).toBeLessThan(1e-4);
    const naive = options({ neurons: 0.5, method: 'magnitude' });
    const { error } = await pruneModel(model, join(folder, 'naive'), naive);
    expect(error).toBeGreaterThan(10 * exact.error);
  });

  test('the same seed gives the same model, another one another', async () => {
    copyFamily('bert', model);
    const made = async (name: string, seed: number): Promise<Buffer> => {
      await pruneModel(model, join(folder, name), options({ neurons: 0.5, method: 'random', seed }));
      return readFileSync(join(folder, name, 'model.safetensors'));
    };
    const [first, again, other] = [await made('a', 3), await made('b', 3), await made('c', 4)];
    expect(first.equals(again)).toBe(true);
    expect(first.equals(other)).toBe(false);
  });

  test('what is fitted to the texts loses less than what is left as it was', async () => {
    copyFamily('qwen2', model);
    const error = async (method: PruneOptions['method']): Promise<number> => {
      const { neurons } = await pruneModel(model, join(folder, method), options({ neurons: 0.5, method }));
      return neurons!.errors.reduce((sum, value) => sum + value, 0);
    };
    const fitted = await error('reconstruction');
    expect(fitted).toBeLessThan(await error('magnitude'));
    expect(fitted).toBeLessThan(await error('random'));
  });
});

describe('calibration', () => {
  test('a Gram matrix counts each token once, whatever the batches, and no padding', async () => {
    const checkpoint = openCheckpoint(copyFamily('llama', model));
    const texts = ['a b c d e', 'f g', 'h a b c d e f g h'];
    const name = 'layers.1.mlp.down_proj.weight';
    const gram = async (read: string[]): Promise<Float64Array> =>
      (await gramMatrices(checkpoint, await calibrate(checkpoint, read, 1000), [name], {})).get(name)!;
    const together = await gram(texts);
    const alone = await Promise.all(texts.map((text) => gram([text])));
    const sum = together.map((_, i) => alone.reduce((total, part) => total + part[i]!, 0));
    expect(disagreement(together, sum)).toBeLessThan(1e-5);
  });

  test('layers that are left move up', async () => {
    const whole = openCheckpoint(copyFamily('llama', model));
    const layers = Array.from({ length: whole.config.num_hidden_layers as number }, (_, i) => i);
    const without = withLayers(whole, layers.slice(1));
    const key = 'model.layers.0.mlp.up_proj.weight';
    expect(without.tensors.get(key)).toBe(whole.tensors.get('model.layers.1.mlp.up_proj.weight'));
    expect(without.tensors.has('model.layers.1.mlp.up_proj.weight')).toBe(false);
    const read = await calibrate(without, ['a b'], 10);
    await runCalibration(writeTransformer(without, { kind: 'states' }), read, (outputs) => {
      expect(outputs.last_hidden_state!.every(Number.isFinite)).toBe(true);
    });
  });
});

describe('pruning that cannot be', () => {
  const refused = async (some: Partial<PruneOptions>, code: string, message: RegExp): Promise<void> => {
    await expect(pruneModel(model, target, options(some))).rejects.toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
    expect(existsSync(target)).toBe(false);
  };

  test.each([
    [
      'bert',
      { heads: 0.5 },
      /one of the types llama, qwen2, qwen3, whose heads can be pruned, but .* "bert"/,
    ],
    ['modernBert', { layers: 1 }, /whose layers can be pruned, but .* "modernbert"/],
    ['bert', { layers: 2 }, /Fewer layers than the 2 of the model/],
    [
      'qwen3',
      { heads: 0.1 },
      /heads should be a share that leaves out some of the 2 of a layer.* 0\.1 leaves out none/,
    ],
    ['bert', { neurons: 1 }, /neurons must be a share of at least 0 and below 1, got 1/],
  ])('%s with %j', async (name, some, message) => {
    copyFamily(name, model);
    await refused(some, 'ERR_ARGUMENT', message);
  });

  test('no model, no texts, too few, or bad ones', async () => {
    await refused({ neurons: 0.5 }, 'ERR_NOT_FOUND', /A model's directory/);
    copyFamily('bert', model);
    await refused({ neurons: 0.5, calibration: join(folder, 'none') }, 'ERR_NOT_FOUND', /none/);
    const write = (text: string): string => {
      writeFileSync(join(folder, 'bad.jsonl'), text);
      return join(folder, 'bad.jsonl');
    };
    await refused({ calibration: write('{"text":"a"}\n') }, 'ERR_DATA', /at least two texts.* holds 1/);
    await refused(
      { calibration: write('{"text":1}\n') },
      'ERR_DATA',
      /line 1 should have a string text, got 1/,
    );
    await refused({ calibration: write('text\n') }, 'ERR_DATA', /line 1 should be JSON/);
  });

  test('interrupted: nothing is written', async () => {
    copyFamily('bert', model);
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = (): void => controller.abort(reason);
    const done = pruneModel(model, target, options({ neurons: 0.5, signal: controller.signal, onProgress }));
    await expect(done).rejects.toBe(reason);
    expect(existsSync(target)).toBe(false);
  });
});
