import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openCrossEncoder } from '../../../ts/models/crossEncoder.ts';
import { openEncoder } from '../../../ts/models/encoder.ts';
import { readRecipe } from '../../../ts/offline/train/recipe.ts';
import { trainModel } from '../../../ts/offline/train/trainModel.ts';
import { writePrompted } from '../../models/promptedFixture.ts';
import { PARTNERS, partnerLines, writeTinyBert } from './tinyBert.ts';

const folder = mkdtempSync(join(tmpdir(), 'seine-train-model-'));
beforeAll(async () => {
  await writeTinyBert(join(folder, 'base'));
  writeFileSync(join(folder, 'positives.jsonl'), partnerLines(400, 'positives'));
  writeFileSync(join(folder, 'grades.jsonl'), partnerLines(400, 'grades'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const base = {
  task: 'bi-encoder',
  model: './base',
  data: ['positives.jsonl'],
  losses: [{ name: 'infoNce' }],
  batch: 8,
  rate: 5e-3,
  steps: 120,
};

async function recipeOf(name: string, fields: object) {
  writeFileSync(join(folder, `${name}.json`), JSON.stringify({ ...base, ...fields }));
  return readRecipe(join(folder, `${name}.json`));
}

async function trained(name: string, fields: object) {
  const out = join(folder, name);
  return { out, manifest: await trainModel(await recipeOf(name, fields), { out }) };
}

/** How many of the queries find their partner first. */
async function partnersFound(directory: string): Promise<number> {
  const encoder = await openEncoder(directory);
  const encode = (texts: string[], kind: 'query' | 'document') => encoder.encode(texts, { kind });
  const asked = await encode(
    PARTNERS.map(([query]) => query),
    'query',
  );
  const read = await encode(
    PARTNERS.map(([, document]) => document),
    'document',
  );
  const { dim } = encoder;
  await encoder.close();
  const best = PARTNERS.map((_, query) => {
    const scores = PARTNERS.map((_, document) => {
      let sum = 0;
      for (let d = 0; d < dim; d++)
        sum += asked.vectors[query * dim + d]! * read.vectors[document * dim + d]!;
      return sum;
    });
    return scores.indexOf(Math.max(...scores));
  });
  return best.filter((document, query) => document === query).length;
}

describe('a bi-encoder', () => {
  test('learns from positives and negatives; its directory is a model like any other', async () => {
    const { out, manifest } = await trained('embedder', {});
    expect(await partnersFound(join(folder, 'base'))).toBeLessThan(6);
    expect(await partnersFound(out)).toBe(13);
    expect(manifest.curve.loss.length).toBe(120);
    expect(manifest.data).toMatchObject([{ file: 'positives.jsonl', groups: 400 }]);
    expect(JSON.parse(readFileSync(join(out, 'training.json'), 'utf8'))).toEqual(manifest);
    expect(readFileSync(join(out, 'training.html'), 'utf8')).toContain('<svg');
    expect(existsSync(join(out, 'checkpoint.safetensors'))).toBe(false);
  });

  test('learns the vectors of a teacher', async () => {
    const { out } = await trained('pupil', {
      losses: [{ name: 'cosine' }],
      teacher: './embedder',
      steps: 200,
    });
    expect(await partnersFound(out)).toBeGreaterThan(10);
  });

  test('learns the scores of a teacher, with several losses at once and batches that add up', async () => {
    const { out, manifest } = await trained('mixed', {
      data: ['grades.jsonl'],
      losses: [{ name: 'mse', weight: 0.5 }, { name: 'margin' }, { name: 'listwise', temperature: 0.1 }],
      accumulate: 2,
    });
    expect(await partnersFound(out)).toBe(13);
    expect(manifest.curve.loss.at(-1)!).toBeLessThan(0.3 * manifest.curve.loss[0]!);
  });
});

test('MaxSim of token vectors learns which texts belong together', async () => {
  const losses = [{ name: 'infoNce', temperature: 0.1 }];
  const { manifest } = await trained('tokens', { similarity: 'maxSim', losses });
  const { loss } = manifest.curve;
  expect(loss.slice(-10).reduce((sum, value) => sum + value, 0) / 10).toBeLessThan(0.1 * loss[0]!);
});

describe('a cross-encoder', () => {
  test('gets a head and learns from grades', async () => {
    const { out, manifest } = await trained('ranker', {
      task: 'cross-encoder',
      data: ['grades.jsonl'],
      losses: [{ name: 'listwise' }, { name: 'bce', weight: 0.3 }, { name: 'margin', weight: 0.3 }],
      steps: 250,
    });
    expect(manifest.headDrawn).toBe(true);
    const ranker = await openCrossEncoder(out);
    const documents = PARTNERS.map(([, document]) => document);
    let first = 0;
    for (const [query, partner] of PARTNERS) {
      const { scores } = await ranker.score(query, documents);
      if (documents[scores.indexOf(Math.max(...scores))] === partner) first++;
    }
    await ranker.close();
    expect(first).toBeGreaterThan(10);
  });

  test('goes on from a head that it has', async () => {
    const { manifest } = await trained('further', {
      task: 'cross-encoder',
      model: './ranker',
      data: ['grades.jsonl'],
      losses: [{ name: 'listwise' }],
      rate: 1e-6,
      steps: 2,
    });
    expect(manifest.headDrawn).toBe(false);
    expect(manifest.curve.loss[0]).toBeLessThan(0.4);
  });
});

describe('a language model as a ranker', () => {
  const prompt = {
    template: ['<|im_start|>user', '{query}', '{document}<|im_end|>', ''],
    labels: { yes: 'yes', no: 'no' },
  };

  test.each(['llama', 'qwen3'])('%s: what is trained is what is served, and it learns', async (family) => {
    const model = join(folder, `base-${family}`);
    writePrompted(model, family, { 'prompt.json': prompt });
    const letters = 'the sea of rivers is not a sea '.repeat(9);
    const rows = [
      { query: 'sea', documents: ['river', letters], scores: [0, 0] },
      { query: letters, documents: ['sea', ''], scores: [0, 0] },
    ];
    writeFileSync(join(folder, 'zero.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
    const fields = {
      task: 'ranker',
      model,
      data: ['zero.jsonl'],
      losses: [{ name: 'mse' }],
      batch: 2,
      documents: 2,
      maxTokens: 40,
      rate: 0.01,
      steps: 30,
    };
    const { out, manifest } = await trained(`prompted-${family}`, fields);
    const meanSquare = async (directory: string): Promise<number> => {
      const ranker = await openCrossEncoder(directory, { maxTokens: 40 });
      const scores: number[] = [];
      for (const { query, documents } of rows) scores.push(...(await ranker.score(query, documents)).scores);
      await ranker.close();
      return scores.reduce((sum, score) => sum + score * score, 0) / scores.length;
    };
    const before = await meanSquare(model);
    expect(Math.abs(manifest.curve.loss[0]! - before)).toBeLessThan(1e-4 * before);
    expect(await meanSquare(out)).toBeLessThan(0.1 * before);
    expect(manifest.headDrawn).toBe(false);
    // Readers with types, transformers 5 among them, refuse 0 where a number with a fraction is meant.
    expect(readFileSync(join(out, 'config.json'), 'utf8')).toContain('"attention_dropout": 0.0,');
  });
});

test('interrupted and resumed, a training comes to the very same weights', async () => {
  const recipe = await recipeOf('stopped', { steps: 40, checkpointSteps: 7, accumulate: 2, dropout: 0.1 });
  const whole = join(folder, 'whole');
  const stopped = join(folder, 'stopped');
  await trainModel(recipe, { out: whole });
  for (const last of [3, 24]) {
    const controller = new AbortController();
    const stop = (step: number) => step === last && controller.abort(new Error('enough'));
    const options = {
      out: stopped,
      signal: controller.signal,
      onStep: ({ step }: { step: number }) => stop(step),
    };
    await expect(trainModel(recipe, options)).rejects.toThrow('enough');
  }
  const other = { ...recipe, seed: 2 };
  await expect(trainModel(other, { out: stopped })).rejects.toMatchObject({ code: 'ERR_MODEL_MISMATCH' });
  const resumed = await trainModel(recipe, { out: stopped });
  const bytes = (out: string) => readFileSync(join(out, 'model.safetensors'));
  expect(bytes(stopped).equals(bytes(whole))).toBe(true);
  expect(resumed.curve).toEqual(JSON.parse(readFileSync(join(whole, 'training.json'), 'utf8')).curve);
  const steps: number[] = [];
  await trainModel(recipe, { out: stopped, onStep: ({ step }) => steps.push(step) });
  expect(steps).toEqual([]);
});

describe('what cannot be trained is refused with a sentence', () => {
  const groups = (...lines: unknown[]): { data: string[] } => {
    const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
    writeFileSync(join(folder, 'given.jsonl'), text);
    return { data: ['given.jsonl'] };
  };
  const fine = { query: 'a', documents: ['n', 'o'], grades: [1, 0] };

  test.each<[what: string, fields: () => object, code: string, said: string | RegExp]>([
    ['empty data', () => groups(''), 'ERR_DATA', 'is empty'],
    ['no JSON', () => groups(fine, '{'), 'ERR_DATA', 'line 2: expected a JSON object'],
    ['no query', () => groups({ positives: ['n'] }), 'ERR_DATA', 'line 1: query should be a text'],
    ['no positives', () => groups({ query: 'a', negatives: ['n'] }), 'ERR_DATA', 'positives'],
    ['no documents', () => groups({ query: 'a', documents: [], grades: [] }), 'ERR_DATA', 'at least one'],
    [
      'nothing known',
      () => groups({ query: 'a', documents: ['n'] }),
      'ERR_DATA',
      'one of grades, labels, scores and objectives',
    ],
    [
      'a label',
      () => groups({ ...fine, labels: [0, 1.5] }),
      'ERR_DATA',
      'labels[1] should be a probability from 0 to 1',
    ],
    [
      'a grade',
      () => groups({ ...fine, grades: [-1, 0] }),
      'ERR_DATA',
      'grades[0] should be a grade from 0 to 30',
    ],
    ['too few grades', () => groups({ ...fine, grades: [1] }), 'ERR_DATA', 'an array of 2 entries'],
    ['a score', () => groups({ ...fine, scores: [1, '2'] }), 'ERR_DATA', 'scores[1] should be a score'],
    ['few queries', () => groups(fine), 'ERR_DATA', 'at least the 8 queries of a batch but has 1'],
    ['no scores', () => ({ losses: [{ name: 'mse' }] }), 'ERR_DATA', "The loss mse needs a teacher's scores"],
    ['no file', () => ({ data: ['none.jsonl'] }), 'ERR_NOT_FOUND', 'none.jsonl'],
    ['an unknown field', () => ({ lossses: [] }), 'ERR_ARGUMENT', 'did you mean "losses"?'],
    ['an unknown loss', () => ({ losses: [{ name: 'l2' }] }), 'ERR_ARGUMENT', 'recipe.losses.0.name'],
    [
      'a foreign option',
      () => ({ losses: [{ name: 'mse', margin: 1 }] }),
      'ERR_ARGUMENT',
      'but the recipe gives it margin',
    ],
    ['no teacher', () => ({ losses: [{ name: 'cosine' }] }), 'ERR_ARGUMENT', 'recipe.teacher'],
    [
      'MaxSim of pairs',
      () => ({ task: 'cross-encoder', similarity: 'maxSim' }),
      'ERR_ARGUMENT',
      'recipe.similarity',
    ],
    ['no language model', () => ({ task: 'ranker' }), 'ERR_MODEL', 'should be a language model'],
    ['an idle teacher', () => ({ teacher: './base' }), 'ERR_ARGUMENT', 'not among recipe.losses'],
    [
      'too many tokens',
      () => ({ maxTokens: 64 }),
      'ERR_ARGUMENT',
      'maxTokens must be a whole number from 8 to 32',
    ],
    ['no model', () => ({ model: './nowhere' }), 'ERR_MODEL', 'nowhere'],
  ])('%s', async (_, fields, code, said) => {
    const attempt = trained('refused', fields());
    await expect(attempt).rejects.toMatchObject({ code, message: expect.stringContaining(said as string) });
    expect(existsSync(join(folder, 'refused'))).toBe(false);
  });

  test('a directory that holds something else', async () => {
    await expect(
      trainModel(await recipeOf('other', {}), { out: join(folder, 'base') }),
    ).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringContaining('holds something else'),
    });
  });

  test('a directory that cannot be', async () => {
    const out = join(folder, 'positives.jsonl', 'within');
    await expect(trainModel(await recipeOf('nowhere', {}), { out })).rejects.toMatchObject({
      code: 'ERR_DISK',
      message: expect.stringContaining('name another directory'),
    });
  });

  test('a rate at which the training diverges; what was good is kept', async () => {
    const fields = { rate: 1e38, warmup: 0, checkpointSteps: 1, steps: 20 };
    await expect(trained('diverged', fields)).rejects.toMatchObject({
      code: 'ERR_MODEL_OUTPUT',
      message: expect.stringMatching(/The checkpoint of step \d+ is kept: lower the learning rate/),
    });
    expect(existsSync(join(folder, 'diverged', 'checkpoint.safetensors'))).toBe(true);
  });
});
