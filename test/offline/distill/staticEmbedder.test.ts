import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { random } from '../../../ts/core/random.ts';
import { principalAxes } from '../../../ts/offline/distill/pca.ts';
import { refineTable } from '../../../ts/offline/distill/refineTable.ts';
import { readWordnet } from '../../../ts/offline/distill/wordnet.ts';
import { wordnetQueries } from '../../../ts/offline/distill/wordnetQueries.ts';

describe('principal axes', () => {
  test('are orthonormal, carry the variance in falling order, and leave out rows of weight 0', () => {
    const dim = 5;
    const generator = random(2);
    const rows = new Float32Array(400 * dim);
    for (let row = 0; row < 400; row++) {
      const along = 10 * generator.normal();
      for (let i = 0; i < dim; i++)
        rows[row * dim + i] = (i < 2 ? along : 0) + (1 + i / 10) * generator.normal() + 4;
    }
    rows.fill(1e6, 0, dim);
    const weights = new Float64Array(400).fill(1);
    weights[0] = 0;
    const { axes, variances, mean } = principalAxes(rows, weights, dim);
    for (let a = 0; a < dim; a++) {
      for (let b = 0; b < dim; b++) {
        let dot = 0;
        for (let i = 0; i < dim; i++) dot += axes[a * dim + i]! * axes[b * dim + i]!;
        expect(Math.abs(dot - (a === b ? 1 : 0))).toBeLessThan(1e-9);
      }
      let sum = 0;
      for (let row = 1; row < 400; row++) {
        let projection = 0;
        for (let i = 0; i < dim; i++) projection += axes[a * dim + i]! * (rows[row * dim + i]! - mean[i]!);
        sum += projection ** 2 / 399;
      }
      expect(sum).toBeCloseTo(variances[a]!, 6);
    }
    expect(Array.from(variances)).toEqual(Array.from(variances).sort((x, y) => y - x));
    expect(Math.abs(axes[0]!)).toBeCloseTo(Math.SQRT1_2, 1);
  });
});

test('the fitted table reaches a teacher that is itself a table, and a stronger ridge moves it less', () => {
  const dim = 4;
  const tokens = 30;
  const generator = random(4);
  const draw = (): Float32Array => Float32Array.from({ length: tokens * dim }, () => generator.normal());
  const teacher = draw();
  const start = teacher.map((value) => value + 0.5 * generator.normal());
  start.fill(0, 0, dim); // a special token
  const texts = Array.from({ length: 300 }, () => Array.from({ length: 4 }, () => generator.below(tokens)));
  const vector = (rows: Float32Array, text: readonly number[]): number[] => {
    const sum = Array.from({ length: dim }, (_, d) =>
      text.reduce((total, id) => total + rows[id * dim + d]!, 0),
    );
    return sum.map((value) => value / Math.hypot(...sum));
  };
  teacher.fill(0, 0, dim);
  const targets = Float32Array.from(texts.flatMap((text) => vector(teacher, text)));
  const agreement = (rows: Float32Array): number =>
    texts.reduce((sum, text, i) => {
      return (
        sum +
        vector(rows, text).reduce((dot, value, d) => dot + value * targets[i * dim + d]!, 0) / texts.length
      );
    }, 0);
  const fitted = (ridge: number): Float32Array =>
    refineTable({ rows: start, dim, axes: new Float64Array(0) }, texts, targets, { ridge, iterations: 30 });
  const distance = (rows: Float32Array): number => Math.hypot(...rows.map((value, i) => value - start[i]!));
  expect(agreement(fitted(0.01))).toBeGreaterThan(agreement(start) + 0.02);
  expect(agreement(fitted(0.01))).toBeGreaterThan(0.97);
  expect(distance(fitted(100))).toBeLessThan(0.2 * distance(fitted(0.01)));
  expect(Array.from(fitted(0.01).subarray(0, dim))).toEqual([0, 0, 0, 0]);
});

test('WordNet is read with names, definition, examples and hypernyms, and described in other words', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'seine-wordnet-'));
  const header = '  1 This software and database is being provided to you  \n';
  const noun =
    '00001740 03 n 01 entity 0 000 | that which is perceived  \n' +
    '00002684 03 n 02 object 0 physical_object 0 002 @ 00001740 n 0000 ~ 00003553 n 0000 | a tangible and visible ' +
    'thing; an entity that casts a shadow; "it was full of rackets"  \n';
  const adjective =
    '00003552 00 s 01 emergent(a) 0 001 & 00003356 a 0000 | coming into existence; "an emergent republic"  \n';
  try {
    for (const name of ['verb', 'adv']) writeFileSync(join(folder, `data.${name}`), header);
    writeFileSync(join(folder, 'data.noun'), header + noun);
    writeFileSync(join(folder, 'data.adj'), header + adjective);
    const synsets = await readWordnet(folder);
    expect(synsets.map(({ id }) => id)).toEqual(['n00001740', 'n00002684', 'a00003552']);
    expect(synsets[1]).toEqual({
      id: 'n00002684',
      lemmas: ['object', 'physical object'],
      definition: 'a tangible and visible thing; an entity that casts a shadow',
      examples: ['it was full of rackets'],
      hypernyms: ['n00001740'],
    });
    expect(synsets[2]!.lemmas).toEqual(['emergent']);
    const made = wordnetQueries(synsets, random(3));
    for (let i = 0; i < 30; i++) expect(made.describe(synsets[1]!) ?? '').not.toMatch(/\bobject\b/);
    writeFileSync(join(folder, 'data.noun'), '');
    rmSync(join(folder, 'data.verb'));
    await expect(readWordnet(folder)).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
