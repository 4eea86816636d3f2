import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { readRecipe } from '../../../ts/offline/train/recipe.ts';
import { trainModel } from '../../../ts/offline/train/trainModel.ts';
import { partnerLines, writeTinyBert } from './tinyBert.ts';

const folder = mkdtempSync(join(tmpdir(), 'seine-teacher-'));
afterAll(() => rmSync(folder, { recursive: true }));

const recipeOf = (name: string, fields: object) => {
  const common = { task: 'bi-encoder', model: './base', data: ['data.jsonl'], batch: 8, rate: 5e-3 };
  writeFileSync(join(folder, `${name}.json`), JSON.stringify({ ...common, ...fields }));
  return readRecipe(join(folder, `${name}.json`));
};

test("a teacher's vectors outlive an interruption, until the training is done", async () => {
  await writeTinyBert(join(folder, 'base'));
  writeFileSync(join(folder, 'data.jsonl'), partnerLines(60, 'positives'));
  const first = await recipeOf('teacher', { losses: [{ name: 'infoNce' }], steps: 20 });
  await trainModel(first, { out: join(folder, 'teacher') });
  const recipe = await recipeOf('pupil', { losses: [{ name: 'cosine' }], teacher: './teacher', steps: 12 });
  await trainModel(recipe, { out: join(folder, 'whole') });

  const out = join(folder, 'stopped');
  const controller = new AbortController();
  const heard: [done: number, total: number][] = [];
  const onTeacherText = (done: number, total: number) => {
    heard.push([done, total]);
    controller.abort(new Error('enough'));
  };
  const stopped = trainModel(recipe, { out, signal: controller.signal, onTeacherText });
  await expect(stopped).rejects.toThrow('enough');
  expect(heard).toEqual([[13, 26]]);
  const kept = readdirSync(join(out, 'teacher')).find((name) => name.startsWith('query-'))!;
  const part = join(out, 'teacher', kept, 'parts', '000000');
  const written = () => statSync(part, { bigint: true }).mtimeNs;
  const before = written();
  let after: bigint | undefined;
  await trainModel(recipe, {
    out,
    onStep: ({ step }) => {
      if (step === 1) after = written();
    },
  });
  expect(after).toBe(before);
  expect(existsSync(join(out, 'teacher'))).toBe(false);
  const weights = (name: string) => readFileSync(join(folder, name, 'model.safetensors'));
  expect(weights('stopped').equals(weights('whole'))).toBe(true);
});
