import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openCrossEncoder } from '../../../ts/models/crossEncoder.ts';
import { readRecipe } from '../../../ts/offline/train/recipe.ts';
import { trainModel } from '../../../ts/offline/train/trainModel.ts';
import { PARTNERS, partnerLines, writeTinyBert } from './tinyBert.ts';

const folder = mkdtempSync(join(tmpdir(), 'seine-objectives-'));
beforeAll(async () => {
  await writeTinyBert(join(folder, 'base'));
  writeFileSync(join(folder, 'positives.jsonl'), partnerLines(20, 'positives'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const base = {
  task: 'cross-encoder',
  model: './base',
  data: ['positives.jsonl'],
  objectives: ['relevance', 'click'],
  losses: [{ name: 'bce' }, { name: 'bce', objective: 'click' }],
  batch: 8,
  rate: 5e-3,
  steps: 250,
};

async function trained(name: string, fields: object) {
  const out = join(folder, name);
  writeFileSync(join(folder, `${name}.json`), JSON.stringify({ ...base, ...fields }));
  return { out, manifest: await trainModel(await readRecipe(join(folder, `${name}.json`)), { out }) };
}

test('learns several objectives at once, each with a score of its own', async () => {
  const lines = partnerLines(400, 'positives')
    .trim()
    .split('\n')
    .map((line) => {
      const { query, positives, negatives } = JSON.parse(line);
      // Clicked is the first of the others, which tells nothing of relevance; of the last one nothing is known.
      const documents = [...positives, ...[...negatives].sort()];
      return JSON.stringify({
        query,
        documents,
        labels: [1, 0, 0, 0],
        objectives: { click: [0, 1, 0, null] },
      });
    });
  writeFileSync(join(folder, 'objectives.jsonl'), lines.join('\n'));
  const { out, manifest } = await trained('objectives', { data: ['objectives.jsonl'] });
  const { loss } = manifest.curve;
  expect(loss.at(-1)!).toBeLessThan(0.6 * loss[0]!);
  const [query, partner] = PARTNERS[4]!;
  const scoresOf = async (objective?: string) => {
    const ranker = await openCrossEncoder(out, { objective });
    const { scores } = await ranker.score(query, [partner, 'n', 'z']);
    await ranker.close();
    return [...scores];
  };
  const [relevant, clicked] = [await scoresOf(), await scoresOf('click')];
  expect(relevant.indexOf(Math.max(...relevant))).toBe(0);
  expect(clicked[1]!).toBeGreaterThan(clicked[2]!); // n is first of the alphabet's second half
  expect(await scoresOf('relevance')).toEqual(relevant);
});

test.each([
  [
    'an objective that is none',
    {
      losses: [{ name: 'bce', objective: 'buy' }],
    },
    'ERR_ARGUMENT',
    'one of recipe.objectives after the first, got "buy"',
  ],
  [
    'an objective without labels',
    {
      losses: [{ name: 'bce', objective: 'click' }],
    },
    'ERR_DATA',
    'needs labels of the objective click',
  ],
  [
    'objectives of a language model',
    { task: 'ranker' },
    'ERR_ARGUMENT',
    'recipe.objectives are for the tasks cross-encoder and bi-encoder',
  ],
])('%s is refused', async (_, fields, code, said) => {
  const attempt = trained('refused', fields as object);
  await expect(attempt).rejects.toMatchObject({ code, message: expect.stringContaining(said as string) });
});
