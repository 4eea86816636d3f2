import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { random } from '../../../ts/core/random.ts';
import { openEncoder } from '../../../ts/models/encoder.ts';
import { readRecipe } from '../../../ts/offline/train/recipe.ts';
import { trainModel } from '../../../ts/offline/train/trainModel.ts';
import { PARTNERS, partnerLines, writeTinyBert } from './tinyBert.ts';

const folder = mkdtempSync(join(tmpdir(), 'seine-features-'));
beforeAll(async () => {
  await writeTinyBert(join(folder, 'base'));
  writeFileSync(join(folder, 'relevant.jsonl'), partnerLines(120, 'positives'));
  writeFileSync(join(folder, 'clicked.jsonl'), clickedLines(240));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Pages on which the most popular documents are clicked, whatever their age. */
function clickedLines(count: number): string {
  const generator = random(8);
  return Array.from({ length: count }, () => {
    const [[query], ...others] = generator.shuffle([...PARTNERS]).slice(0, 5) as [
      [string],
      ...[string, string][],
    ];
    const documents = others.map(([, document]) => document);
    const popularity = documents.map(() => 100 + 20 * generator.normal());
    const click = popularity.map((value) => 1 / (1 + Math.exp((100 - value) / 5)));
    const same = documents.map(() => 0.1);
    const age = documents.map((_, i) => (i === 3 ? null : generator.normal()));
    return `${JSON.stringify({ query, documents, objectives: { click }, features: { popularity, age, same } })}\n`;
  }).join('');
}

const base = {
  task: 'bi-encoder',
  model: './base',
  data: ['relevant.jsonl', 'clicked.jsonl'],
  objectives: ['relevance', 'click'],
  features: ['popularity', 'age'],
  losses: [{ name: 'infoNce' }, { name: 'listwise', to: 'labels', objective: 'click' }],
  batch: 8,
  rate: 3e-3,
  steps: 150,
};

async function trained(name: string, fields: object) {
  const out = join(folder, name);
  writeFileSync(join(folder, `${name}.json`), JSON.stringify({ ...base, ...fields }));
  return { out, manifest: await trainModel(await readRecipe(join(folder, `${name}.json`)), { out }) };
}

test('an embedder learns what attributes count together with its vectors', async () => {
  const { out, manifest } = await trained('weighing', {});
  const { loss } = manifest.curve;
  const sumOf = (part: readonly number[]) => part.reduce((sum, value) => sum + value, 0);
  expect(sumOf(loss.slice(-20))).toBeLessThan(0.8 * sumOf(loss.slice(0, 20)));
  const encoder = await openEncoder(out);
  const { similarity, features } = encoder.features!;
  const [popularity, age] = features;
  expect(similarity).toBeGreaterThan(0);
  expect(popularity).toMatchObject({ attribute: 'popularity' });
  expect(Math.abs(popularity!.mean - 100)).toBeLessThan(5);
  expect(Math.abs(popularity!.deviation - 20)).toBeLessThan(5);
  expect(age!.attribute).toBe('age');
  expect(popularity!.weight).toBeGreaterThan(0.03);
  expect(popularity!.weight).toBeGreaterThan(5 * Math.abs(age!.weight));
  // The vectors have learnt relevance meanwhile, and the weights of the model are those of any other.
  const { vectors } = await encoder.encode(['a', 'n', 'o', 'p'], { kind: 'document' });
  await encoder.close();
  const cosine = (i: number) =>
    Array.from({ length: 32 }, (_, d) => vectors[d]! * vectors[32 * i + d]!).reduce((sum, x) => sum + x, 0);
  expect(cosine(1)).toBeGreaterThan(Math.max(cosine(2), cosine(3)));
  const plain = await trained('plain', {
    features: undefined,
    objectives: undefined,
    losses: [{ name: 'infoNce' }],
    steps: 1,
  });
  const sizes = [out, plain.out].map((one) => readFileSync(join(one, 'model.safetensors')).length);
  expect(sizes[0]).toBe(sizes[1]);
  expect(existsSync(join(plain.out, 'features.json'))).toBe(false);

  // The weights of another model's features are not taken over; its vectors do not depend on them.
  const again = await trained('again', {
    model: './weighing',
    features: undefined,
    objectives: undefined,
    losses: [{ name: 'infoNce' }],
    steps: 1,
  });
  expect(existsSync(join(again.out, 'features.json'))).toBe(false);
  const before = await openEncoder(out);
  writeFileSync(
    join(out, 'features.json'),
    JSON.stringify({ similarity: 2, features: [{ ...popularity, weight: 3 }] }),
  );
  const after = await openEncoder(out);
  expect(after.hash).toBe(before.hash);
  expect(after.features!.similarity).toBe(2);
  await Promise.all([before.close(), after.close()]);
});

test.each([
  [
    'features without an action',
    { losses: [{ name: 'infoNce' }] },
    'ERR_ARGUMENT',
    'are weighed for what users do',
  ],
  [
    'features of a cross-encoder',
    { task: 'cross-encoder' },
    'ERR_ARGUMENT',
    'are for a bi-encoder of one vector',
  ],
  [
    'features of token vectors',
    { similarity: 'maxSim' },
    'ERR_ARGUMENT',
    'are for a bi-encoder of one vector',
  ],
  ['a feature that the data lacks', { features: ['price'] }, 'ERR_DATA', 'but the data has none'],
  [
    'a feature that is the same everywhere',
    { features: ['same'] },
    'ERR_DATA',
    'but the data has one value of it',
  ],
  [
    'lists of an objective by grades',
    { losses: [{ name: 'listwise', objective: 'click' }] },
    'ERR_ARGUMENT',
    'compares lists with its labels, got to undefined',
  ],
])('%s: refused', async (_, fields, code, said) => {
  const attempt = trained('refused', fields as object);
  await expect(attempt).rejects.toMatchObject({ code, message: expect.stringContaining(said as string) });
});

test.each([
  [
    'a text',
    { popularity: ['high'] },
    'features.popularity[0] should be a finite number or null, got "high"',
  ],
  ['too few', { popularity: [] }, 'features.popularity should be an array of 1 entries'],
  ['no object', [1], 'features should be an object of arrays'],
])('features of %s are refused with the line', async (_, features, said) => {
  const line = { query: 'a', documents: ['n'], grades: [1], features };
  writeFileSync(join(folder, 'wrong.jsonl'), `${JSON.stringify(line)}\n`);
  const attempt = trained('wrong', { data: ['wrong.jsonl'] });
  await expect(attempt).rejects.toMatchObject({ code: 'ERR_DATA', message: expect.stringContaining(said) });
});

test.each([
  ['no number', { similarity: 'high', features: [] }, 'similarity should be a number'],
  [
    'a weight beyond float32',
    { similarity: 1, features: [{ attribute: 'a', mean: 0, deviation: 1, weight: 1e60 }] },
    'features[0].weight should be a number of at most 1000000, got 1e+60',
  ],
  ['no features', { similarity: 1, features: [] }, 'features should be a list of 1 to 256'],
  [
    'a deviation of 0',
    { similarity: 1, features: [{ attribute: 'a', mean: 0, deviation: 0, weight: 1 }] },
    'above 0',
  ],
  [
    'one attribute twice',
    { similarity: 1, features: Array(2).fill({ attribute: 'a', mean: 0, deviation: 1, weight: 1 }) },
    'features[1].attribute should be a name of its own, got "a"',
  ],
])('a file of weights with %s is refused', async (_, content, said) => {
  await writeTinyBert(join(folder, 'damaged'));
  writeFileSync(join(folder, 'damaged', 'features.json'), JSON.stringify(content));
  const attempt = openEncoder(join(folder, 'damaged'));
  await expect(attempt).rejects.toMatchObject({ code: 'ERR_MODEL', message: expect.stringContaining(said) });
});
