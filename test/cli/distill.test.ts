import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { openCrossEncoder } from '../../ts/models/crossEncoder.ts';
import { openEncoder } from '../../ts/models/encoder.ts';
import { LETTERS, letters, training, writeLetters } from './letters.ts';
import { jsonLines, Workplace } from './seine.ts';

jest.setTimeout(300_000);
const place = new Workplace();
const ranker = {
  name: 'tiny-ranker',
  task: 'cross-encoder',
  collections: [
    {
      ...letters,
      subject: { document: 'first', query: 'firsts' },
      clicks: { sessions: 12, page: 8, attributes: { pay: 0.5 } },
    },
  ],
  duplicates: { shingle: 4 },
  candidates: { model: 'seine-embed-small', depth: 30 },
  relevance: training,
  engagement: training,
  student: { ...training, alpha: 0.6, warmStart: true },
  finalists: 20,
};
const embedder = {
  name: 'tiny-embedder',
  task: 'bi-encoder',
  collections: [{ ...letters, dev: undefined }],
  candidates: { model: 'seine-embed-small', depth: 30 },
  student: {
    ...training,
    neurons: 48,
    teacher: './base',
    losses: [{ name: 'infoNce', weight: 0.7 }, { name: 'margin', weight: 0.3 }, { name: 'cosine' }],
  },
  texts: './texts.jsonl',
  matryoshka: [16, 32],
  scripts: ['Latin'],
  against: 'seine-embed-small',
};

beforeAll(async () => {
  await writeLetters(place);
  const further = Array.from({ length: 29 }, (_, i) => `${LETTERS[i % 13]} ${LETTERS[(i * 5) % 13]} z`);
  place.file('texts.jsonl', jsonLines(['A  b c d', ...further].map((text, i) => ({ _id: `t${i}`, text }))));
  place.file('ranker.json', JSON.stringify(ranker));
  place.file('embedder.json', JSON.stringify(embedder));
});
afterAll(() => place.remove());

interface Printed {
  model: string;
  stages: { stage: string; kept: boolean; identity: string }[];
}

const path = (...parts: string[]): string => join(place.folder, ...parts);
const json = (...parts: string[]) => JSON.parse(readFileSync(path(...parts), 'utf8'));
const graph = (out: string) => readFileSync(path(out, 'model', 'onnx', 'model.onnx'));

function distill(recipe: string, out: string): Printed {
  const { status, stdout, stderr } = place.seine(['distill', recipe, '--out', out, '--json']);
  expect({ status, said: status === 0 ? '' : stderr }).toEqual({ status: 0, said: '' });
  return JSON.parse(stdout);
}

describe('distill', () => {
  test('a ranker from two teachers, that the other commands take', async () => {
    const { model, stages } = distill('ranker.json', 'whole');
    expect(stages.map(({ stage }) => stage)).toEqual([
      'splits',
      'vectors-letters',
      'candidates-letters',
      'lists-letters',
      'actions-letters',
      'relevance',
      'engagement',
      'labels-letters',
      'student',
      'tuning',
      'evaluation',
      'model',
    ]);
    expect(stages.every(({ kept }) => !kept)).toBe(true);
    const splits = json('whole', 'splits', 'splits.json');
    expect(splits.letters.dropped.train).toContainEqual({
      id: 'train59',
      twin: { collection: 'letters', split: 'test', id: 'test0' },
      similarity: 1,
    });
    expect(splits.letters.train).not.toContain('train59');
    expect(json(model, 'config.json')).toMatchObject({
      id2label: { 0: 'relevance', 1: 'click', 2: 'apply' },
      problem_type: 'multi_label_classification',
    });
    const [figures] = json('whole', 'evaluation', 'evaluation.json');
    const { fused, blended, relevanceTeacher, auc } = figures.ranking;
    for (const { mean, low, high } of [fused, blended, relevanceTeacher]) {
      expect(low).toBeLessThanOrEqual(mean);
      expect(high).toBeGreaterThanOrEqual(mean);
    }
    expect(auc.click.events).toBeGreaterThan(10);
    for (const area of [auc.click.student, auc.click.teacher, auc.click.fused]) {
      expect(area).toBeGreaterThan(0.2);
      expect(area).toBeLessThan(0.9);
    }
    const card = readFileSync(path(model, 'README.md'), 'utf8');
    const { train, dropped } = splits.letters;
    expect(train.length + dropped.train.length).toBe(60);
    expect(card).toContain(`| letters | ${train.length} | ${dropped.train.length} |`);
    expect(card).toMatch(/\| letters \| click \| \d+ \| \.?\d/);

    const opened = await openCrossEncoder(path(model));
    const clicks = await openCrossEncoder(path(model), { objective: 'click' });
    const asked = ['a b c', ['n o p', 'x y z']] as const;
    const [first, second] = [opened, clicks].map((one) => one.score(asked[0], [...asked[1]]));
    expect([...(await first!).scores]).not.toEqual([...(await second!).scores]);
    expect(opened.hash).not.toBe(clicks.hash);
    expect(opened.blend).toBe(json('whole', 'tuning', 'tuning.json').blend);
    await opened.close();
    await clicks.close();
    await expect(openCrossEncoder(path(model), { objective: 'buy' })).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      message: expect.stringContaining('which has relevance, click, apply, got "buy"'),
    });
  });

  test('what was done from the same inputs is kept; what changed, or was damaged, is done anew', () => {
    const again = distill('ranker.json', 'whole');
    expect(again.stages.every(({ kept }) => kept)).toBe(true);
    const changed = { ...ranker, student: { ...ranker.student, alpha: 0.9 } };
    place.file('changed.json', JSON.stringify(changed));
    const redone = (printed: Printed) => printed.stages.filter(({ kept }) => !kept).map(({ stage }) => stage);
    const after = ['student', 'tuning', 'evaluation', 'model'];
    expect(redone(distill('changed.json', 'whole'))).toEqual(after);
    writeFileSync(path('whole', 'lists-letters', 'lists.jsonl'), '');
    rmSync(path('whole', 'model', 'README.md'));
    // The lists come out as they were, so that what is made of them stays.
    expect(redone(distill('changed.json', 'whole'))).toEqual(['lists-letters', 'model']);
  });

  test('killed in the middle of any stage, the same command goes on and comes to the same model', async () => {
    const marks = [
      'relevance/model/checkpoint.safetensors',
      'labels-letters/begun.json',
      'evaluation/begun.json',
    ];
    for (const mark of marks) {
      const child = place.start(['distill', 'changed.json', '--out', 'killed', '--quiet']);
      const ended = once(child, 'exit');
      while (!existsSync(path('killed', mark))) {
        expect(child.exitCode).toBe(null);
        await setTimeout(5);
      }
      child.kill('SIGKILL');
      expect(await ended).toEqual([null, 'SIGKILL']);
    }
    const { stages } = distill('changed.json', 'killed');
    expect(stages.find(({ stage }) => stage === 'engagement')).toMatchObject({ kept: true });
    expect(graph('killed').equals(graph('whole'))).toBe(true);
    expect(readdirSync(path('killed', 'labels-letters')).sort()).toEqual(['labels.jsonl', 'manifest.json']);
  });

  test('an embedder, measured against another one', async () => {
    const { model } = distill('embedder.json', 'embedder');
    const encoder = await openEncoder(path(model));
    expect(encoder).toMatchObject({ dim: 32, matryoshka: [16, 32], maxTokens: 20 });
    expect(json(model, 'config.json')).toMatchObject({ intermediate_size: 48, max_position_embeddings: 20 });
    // One of the 30 texts is a test query, and the last of those that are left fill no line of seven.
    const lines = (...parts: string[]) =>
      readFileSync(path(...parts), 'utf8')
        .trim()
        .split('\n');
    expect(lines('embedder', 'texts', 'texts.jsonl').length).toBe(29);
    const lists = lines('embedder', 'lists-letters', 'lists.jsonl').length;
    const data = lines('embedder', 'student', 'data.jsonl');
    expect(data.length).toBe(lists + 4);
    expect(JSON.parse(data.at(-1)!)).toMatchObject({ grades: Array(6).fill(null) });
    const { vectors } = await encoder.encode(['a b'], { kind: 'query' });
    expect(Math.hypot(...vectors)).toBeCloseTo(1, 5);
    const student = await openEncoder(path('embedder', 'student', 'model'), { maxTokens: 20 });
    const texts = ['a b', 'n o p', 'c'];
    const [turned, plain] = await Promise.all(
      [encoder, student].map(async (one) => (await one.encode(texts, { kind: 'document' })).vectors),
    );
    const cosine = (all: Float32Array, a: number, b: number): number =>
      all.subarray(32 * a, 32 * (a + 1)).reduce((sum, value, i) => sum + value * all[32 * b + i]!, 0);
    for (const [a, b] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ] as const) {
      expect(Math.abs(cosine(turned!, a, b) - cosine(plain!, a, b))).toBeLessThan(0.02);
    }
    const energy = (all: Float32Array): number =>
      all.reduce((sum, value, i) => sum + (i % 32 < 16 ? value * value : 0), 0) / texts.length;
    expect(energy(turned!)).toBeGreaterThan(Math.max(0.8, energy(plain!)));
    await student.close();
    await encoder.close();
    const [{ retrieval, against }] = json('embedder', 'evaluation', 'evaluation.json');
    expect(against.difference.dense.mean).toBeCloseTo(retrieval.dense.mean - against.dense.mean, 12);
    expect(statSync(path(model, 'onnx', 'model.onnx')).size).toBeLessThan(100_000);
  });

  test('recipes and data that are wrong are named', () => {
    const wrong = (name: string, recipe: object): { status: number | null; stderr: string } => {
      place.file(name, JSON.stringify(recipe));
      const { status, stderr } = place.seine(['distill', name, '--out', 'wrong', '--quiet']);
      return { status, stderr };
    };
    expect(wrong('w1.json', { ...ranker, relevance: undefined })).toEqual({
      status: 2,
      stderr:
        'seine: recipe.engagement needs recipe.relevance beside it: the student learns from both. [ERR_ARGUMENT]\n',
    });
    const [collection] = ranker.collections;
    const nowhere = { ...collection, corpus: './nowhere.jsonl' };
    const missing = wrong('w2.json', { ...ranker, collections: [nowhere] });
    expect(missing.status).toBe(3);
    expect(missing.stderr).toContain('nowhere.jsonl');
    const bare = wrong('w4.json', { ...embedder, student: { ...embedder.student, teacher: undefined } });
    expect(bare.stderr).toBe(
      'seine: recipe.texts are for a bi-encoder with student.teacher, whose vectors it learns. [ERR_ARGUMENT]\n',
    );
    const scripts = wrong('w5.json', { ...embedder, scripts: ['Klingon'] });
    expect(scripts).toEqual({
      status: 2,
      stderr:
        'seine: recipe.scripts should be names of scripts in Unicode, such as Latin, got "Klingon". [ERR_ARGUMENT]\n',
    });
    const features = wrong('w6.json', { ...embedder, features: ['pay'] });
    expect(features).toEqual({
      status: 2,
      stderr:
        'seine: recipe.features are for a bi-encoder, and a collection with train and actions or clicks. [ERR_ARGUMENT]\n',
    });
    const clicked = { ...embedder, collections: ranker.collections, features: ['pay'] };
    expect(wrong('w7.json', clicked)).toEqual({
      status: 2,
      stderr:
        'seine: recipe.student.losses should have one with an objective, such as click, for recipe.features. [ERR_ARGUMENT]\n',
    });
    const foreign = { ...collection, train: { queries: './train.jsonl', qrels: './dev.tsv' } };
    const none = wrong('w3.json', { ...ranker, collections: [foreign] });
    expect(none).toMatchObject({ status: 5 });
    expect(none.stderr).toContain(
      'The collection letters should have training queries with relevant documents',
    );
  });
});
