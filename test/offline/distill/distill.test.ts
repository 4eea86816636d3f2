import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { random } from '../../../ts/core/random.ts';
import { denseCandidates, fusedCandidates } from '../../../ts/offline/distill/candidates.ts';
import { drawGroup } from '../../../ts/offline/distill/drawGroup.ts';
import { LexicalIndex, topScores } from '../../../ts/offline/distill/lexicalIndex.ts';
import { principalAxes } from '../../../ts/offline/distill/pca.ts';
import {
  blendedNdcg,
  chooseBlend,
  meanWithInterval,
  type RankedQuery,
} from '../../../ts/offline/distill/rankingMeasure.ts';
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

describe('candidates', () => {
  test('BM25 gives the textbook value and only documents that share a word', () => {
    const found = new LexicalIndex(['red apple', 'green apple apple', 'blue sky']).search('Apple!', 5);
    expect(found.map(({ document }) => document)).toEqual([1, 0]);
    const idf = Math.log(1 + 1.5 / 2.5);
    const length = 0.25 + (0.75 * 3) / (7 / 3);
    expect(found[0]!.score).toBeCloseTo((idf * 2 * 2.2) / (2 + 1.2 * length), 12);
  });

  test('the best k come best first, equal scores by rising index', () => {
    expect(topScores([1, 3, 2, 3, 0], 3).map(({ document }) => document)).toEqual([1, 3, 2]);
  });

  test('dense and lexical lists are fused by reciprocal ranks', async () => {
    const vectors = Float32Array.of(1, 0, 0.8, 0.6, 0, 1);
    const query = Float32Array.of(1, 0);
    const dense = await denseCandidates({ documentVectors: vectors, queryVectors: query, dim: 2, depth: 2 });
    expect(dense[0]!.map(({ document }) => document)).toEqual([0, 1]);
    const [fused] = await fusedCandidates({
      documents: ['x', 'y', 'word'],
      documentVectors: vectors,
      queries: ['word y'],
      queryVectors: query,
      dim: 2,
      depth: 2,
    });
    expect(fused!.map(({ document }) => document)).toEqual([1, 0, 2]);
    expect(fused![0]!.score).toBeCloseTo(1 / 62 + 1 / 61, 12);
  });
});

test('a drawn list holds a best document and no uncertain negative', () => {
  const documents = Array.from({ length: 40 }, (_, i) => ({
    id: `d${i}`,
    text: `text ${i}`,
    metadata: { kind: i < 10 ? 'same' : 'other' },
  }));
  const byId = new Map(documents.map(({ id }, i) => [id, i]));
  const grades = new Map([
    ['d0', 3],
    ['d1', 1],
  ]);
  const query = { id: 'q', text: 'query', metadata: {} };
  const candidates = documents.slice(0, 30).map((_, document) => ({ document, score: 1 }));
  const generator = random(8);
  for (let round = 0; round < 50; round++) {
    const group = drawGroup(
      { query, grades, candidates },
      documents,
      byId,
      (d) => d.metadata.kind,
      8,
      generator,
    )!;
    expect(new Set(group.documents).size).toBe(8);
    expect(Math.max(...group.grades)).toBe(3);
    group.documents.forEach((text, i) => {
      const index = Number(text.slice(5));
      expect(group.grades[i]).toBe(grades.get(`d${index}`) ?? 0);
      if (group.grades[i] === 0) expect(index).toBeGreaterThanOrEqual(10);
    });
  }
});

describe('blending', () => {
  const queries: RankedQuery[] = [
    { retrieval: [3, 2, 1], ranker: [0, 0, 9], grades: [0, 0, 3], ideal: 7 },
    { retrieval: [3, 2, 1], ranker: [5, 5, 5], grades: [3, 0, 0], ideal: 7 },
  ];
  test('mixes z-scores; a ranker without an opinion changes nothing', () => {
    expect(blendedNdcg(queries, 0)).toEqual([0.5, 1]);
    expect(blendedNdcg(queries, 1)).toEqual([1, 1]);
    expect(chooseBlend(queries).ndcg).toBe(1);
    expect(chooseBlend(queries).blend).toBeGreaterThan(0);
  });
  test('the interval holds the mean and narrows with the number of queries', () => {
    const generator = random(6);
    const draw = (count: number) => Array.from({ length: count }, () => 1 + generator.normal());
    const few = meanWithInterval(draw(50));
    const many = meanWithInterval(draw(1000));
    expect(many.low).toBeLessThan(many.mean);
    expect(many.high).toBeGreaterThan(many.mean);
    expect(many.high - many.low).toBeLessThan(0.4 * (few.high - few.low));
    expect(many.high - many.low).toBeCloseTo(3.92 / Math.sqrt(1000), 1);
  });
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
