import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { partnerLines, writeTinyBert } from '../offline/train/tinyBert.ts';
import { jsonLines, Workplace } from './seine.ts';

jest.setTimeout(180_000);
const place = new Workplace();

beforeAll(async () => {
  await writeTinyBert(join(place.folder, 'base'));
  place.file('train.jsonl', partnerLines(200, 'positives'));
  const common = { model: './base', data: ['train.jsonl'], batch: 8, rate: 5e-3 };
  place.file(
    'embed.json',
    JSON.stringify({ ...common, task: 'bi-encoder', losses: [{ name: 'infoNce' }], steps: 60 }),
  );
  const losses = [{ name: 'listwise' }];
  place.file(
    'rank.json',
    JSON.stringify({ ...common, task: 'cross-encoder', losses, steps: 300, checkpointSteps: 2 }),
  );
});
afterAll(() => place.remove());

const weights = (out: string) => readFileSync(join(place.folder, out, 'model.safetensors'));

describe('train', () => {
  test('an embedder and a ranker that the other commands take', () => {
    const first = place.seine(['train', 'embed.json', '--out', 'embedder']);
    expect(first.stderr).toMatch(/train: \d+ %, \d+ steps.*loss \d\.\d{4}/);
    expect(first.stderr).toContain('The model is in embedder, its curve in training.html there.');
    expect(first).toMatchObject({ status: 0, stdout: '' });
    const again = place.seine(['train', 'embed.json', '--out', 'embedder', '--json']);
    expect(again.stderr).toContain('holds this training, done: 60 steps.');
    expect(JSON.parse(again.stdout)).toMatchObject({
      schemaVersion: 1,
      out: 'embedder',
      steps: 60,
      headDrawn: false,
    });
    const ranker = place.seine(['train', 'rank.json', '--out', 'ranker', '--json', '--quiet']);
    expect(ranker).toMatchObject({ status: 0, stderr: '' });
    expect(JSON.parse(ranker.stdout)).toMatchObject({ steps: 300, headDrawn: true });

    place.file('corpus.jsonl', jsonLines([...'nopqrstu'].map((text) => ({ id: text, text }))));
    const ingest = place.seine(['ingest', 'corpus.jsonl', '--index', 'i.seine', '--embedder', './embedder']);
    expect(ingest.status).toBe(0);
    const options = ['--embedder', './embedder', '--ranker', './ranker', '--retrieve', 'dense', '--json'];
    const search = place.seine(['search', 'c', '--index', 'i.seine', ...options]);
    expect(JSON.parse(search.stdout).hits[0].id).toBe('p');
  });

  test('killed in the middle, the same command goes on and comes to the same weights', async () => {
    const child = place.start(['train', 'rank.json', '--out', 'killed', '--quiet']);
    const ended = once(child, 'exit');
    while (!existsSync(join(place.folder, 'killed', 'checkpoint.safetensors'))) await setTimeout(5);
    child.kill('SIGKILL');
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(existsSync(join(place.folder, 'killed', 'training.json'))).toBe(false);
    const { status, stdout } = place.seine(['train', 'rank.json', '--out', 'killed', '--json']);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ steps: 300 });
    expect(weights('killed').equals(weights('ranker'))).toBe(true);
  });

  test('interrupted, it says how to go on', async () => {
    const child = place.start(['train', 'rank.json', '--out', 'interrupted']);
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    const ended = once(child, 'exit');
    while (!existsSync(join(place.folder, 'interrupted', 'checkpoint.safetensors'))) await setTimeout(5);
    child.kill('SIGINT');
    expect(await ended).toEqual([130, null]);
    expect(said).toContain(
      'Interrupted; the same command goes on from the step that was reached. [ERR_INTERRUPTED]',
    );
  });

  test('a recipe that is wrong ends with 2, data that is wrong with 5', () => {
    place.file('wrong.json', JSON.stringify({ task: 'bi-encoder' }));
    const wrong = place.seine(['train', 'wrong.json', '--out', 'x']);
    expect(wrong).toMatchObject({
      status: 2,
      stderr: 'seine: recipe lacks the field "model": give it. [ERR_ARGUMENT]\n',
    });
    place.file('train.jsonl', '{"query": "a", "documents": ["b"], "labels": [2]}\n');
    const data = place.seine(['train', 'embed.json', '--out', 'x']);
    expect(data.status).toBe(5);
    expect(data.stderr).toContain(
      'train.jsonl, line 1: labels[0] should be a probability from 0 to 1 or null, got 2.',
    );
  });
});
