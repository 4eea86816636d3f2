import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { openEncoder } from '../../ts/models/encoder.ts';
import { letters, training, writeLetters } from './letters.ts';
import { Workplace } from './seine.ts';

jest.setTimeout(300_000);
const place = new Workplace();
beforeAll(() => writeLetters(place));
afterAll(() => place.remove());

const path = (...parts: string[]): string => join(place.folder, ...parts);

const weigher = {
  name: 'tiny-weigher',
  task: 'bi-encoder',
  collections: [{ ...letters, clicks: { sessions: 12, page: 8, attributes: { pay: 2 } } }],
  candidates: { model: 'seine-embed-small', depth: 30 },
  actions: ['click'],
  features: ['pay'],
  student: { ...training, steps: 60 },
};

test('an embedder that weighs attributes by what users do', async () => {
  const distilled = (name: string, recipe: object) => {
    place.file(`${name}.json`, JSON.stringify(recipe));
    const { status, stdout, stderr } = place.seine(['distill', `${name}.json`, '--out', name, '--json']);
    expect({ status, said: status === 0 ? '' : stderr }).toEqual({ status: 0, said: '' });
    const [{ actions }] = JSON.parse(readFileSync(path(name, 'evaluation', 'evaluation.json'), 'utf8'));
    return { model: JSON.parse(stdout).model as string, actions };
  };
  const { model, actions } = distilled('weigher', weigher);
  const { similarity, score, gain } = actions.click;
  expect(gain.mean).toBeCloseTo(score.mean - similarity.mean, 12);
  expect(gain.low).toBeGreaterThan(0.02);
  const encoder = await openEncoder(path(model));
  expect(encoder.features!.features).toMatchObject([{ attribute: 'pay' }]);
  expect(encoder.features!.features[0]!.weight).toBeGreaterThan(0.01);
  await encoder.close();
  const card = readFileSync(path(model, 'README.md'), 'utf8');
  expect(card).toMatch(/\| letters, \d+ pages \| click \| \.\d+ /);

  // Without attributes it learns from actions by its vectors alone.
  const losses = [{ name: 'infoNce' }, { name: 'listwise', to: 'labels', objective: 'click' }];
  const plain = { ...weigher, features: undefined, student: { ...weigher.student, losses } };
  const { click } = distilled('plain', plain).actions;
  expect(click.score).toEqual(click.similarity);
  expect(click.score.mean).toBeLessThan(score.mean);
});
