import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { parse } from 'csv-parse/sync';
import { random } from '../../../ts/core/random.ts';
import { actionLabels, estimateExamination } from '../../../ts/offline/distill/actionLabels.ts';
import { pagesOf } from '../../../ts/offline/distill/actionStage.ts';
import { auc } from '../../../ts/offline/distill/auc.ts';
import {
  attractiveness,
  type ClickModel,
  ClickModelSchema,
  drawImpressions,
  examination,
} from '../../../ts/offline/distill/clickModel.ts';
import { inversePropensity } from '../../../ts/offline/distill/inversePropensity.ts';
import { calibrate, calibrationError, isotonic } from '../../../ts/offline/distill/isotonic.ts';
import { describeWithShared } from '../../helpers/describeWithShared.ts';

function model(given: Partial<ClickModel>): ClickModel {
  const filled = { ...given };
  new Ajv({ useDefaults: true }).compile(ClickModelSchema)(filled);
  return filled as ClickModel;
}

describe('the click model', () => {
  const clicks = model({ sessions: 4000, decay: 1, shuffled: 0.5 });
  const page = {
    query: 'q',
    documents: [0.2, 1, 0, 0.6].map((relevance, i) => ({ id: `d${i}`, relevance, pull: i === 3 ? 1 : 0 })),
  };
  const impressions = drawImpressions([page], clicks, random(1));

  test('clicks as often as examination and attraction say, at every position', () => {
    for (const { document, position, shown, actions } of impressions) {
      const wanted =
        examination(clicks, position) * attractiveness(clicks, page.documents[Number(document[1])]!);
      const error = Math.sqrt((wanted * (1 - wanted)) / shown);
      expect(Math.abs(actions.click! / shown - wanted)).toBeLessThan(4.5 * error);
      expect(actions.apply!).toBeLessThanOrEqual(actions.click!);
      expect(actions.click! + actions.dismiss!).toBeLessThanOrEqual(shown);
    }
  });

  test('shuffled pages tell how positions are examined, and labels are then free of position', () => {
    const examined = estimateExamination(impressions);
    for (const [i, value] of examined.entries()) expect(value).toBeCloseTo(1 / (i + 1), 1);
    const labels = actionLabels(impressions, ['click'], { masking: true }).get('q')!;
    const biased = impressions.filter(({ shuffled }) => !shuffled);
    for (const [i, document] of page.documents.entries()) {
      const wanted = attractiveness(clicks, document);
      expect(Math.abs(labels.get(`d${i}`)!.click! - wanted)).toBeLessThan(0.12);
      const { actions, shown } = biased.find((one) => one.document === `d${i}`)!;
      if (i === 3) expect(actions.click! / shown).toBeLessThan(0.4 * wanted);
    }
  });

  test('masking: an action that nobody took of a query says nothing of its documents', () => {
    const entry = { query: 'q', position: 1, shown: 5, shuffled: false };
    const done = [
      { ...entry, document: 'a', actions: { click: 2 } },
      { ...entry, document: 'b', position: 2, actions: {} },
    ];
    const masked = actionLabels(done, ['click', 'apply'], { masking: true }).get('q')!;
    expect(masked.get('a')).toEqual({ click: 0.4, apply: null });
    expect(masked.get('b')).toEqual({ click: 0, apply: null });
    const whole = actionLabels(done, ['click', 'apply'], { masking: false }).get('q')!;
    expect(whole.get('b')).toEqual({ click: 0, apply: 0 });
  });

  test('hidden attributes pull by their z-scores; one that never differs is refused', () => {
    const documents = [10, 20, 30].map((salary, i) => ({
      id: `d${i}`,
      text: '',
      metadata: { salary, remote: true, fee: 0.1 }, // three tenths add up to more than .3
    }));
    const found = documents.map((_, document) => ({ document, score: 1 }));
    const grades = new Map([['q', new Map([['d1', 2]])]]);
    const pages = (attributes: Record<string, number>) =>
      pagesOf([{ query: 'q', found }], documents, grades, model({ attributes, page: 2 }));
    const [first] = pages({ salary: 2 });
    expect(first!.documents.map(({ id, relevance }) => [id, relevance])).toEqual([
      ['d0', 0],
      ['d1', 1],
    ]);
    expect(first!.documents[0]!.pull).toBeCloseTo(-2 * Math.sqrt(1.5), 12);
    for (const same of ['remote', 'fee']) {
      expect(() => pages({ [same]: 1 })).toThrow(`"${same}" of the click model should be a number`);
    }
  });
});

describe('inverse propensity scoring', () => {
  test('gives the mean of what was not logged, without bias; clipping bounds a weight', () => {
    const generator = random(4);
    const rates = [0.1, 0.5, 0.9];
    const logging = [0.7, 0.2, 0.1];
    const estimates = Array.from({ length: 300 }, () => {
      const observed = Array.from({ length: 400 }, () => {
        const u = generator.next();
        const arm = u < logging[0]! ? 0 : u < logging[0]! + logging[1]! ? 1 : 2;
        const reward = Number(generator.next() < rates[arm]!);
        return { reward, count: 1, propensity: logging[arm]!, target: 1 / 3 };
      });
      return inversePropensity(observed);
    });
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const ips = estimates.map((one) => one.ips);
    expect(mean(ips)).toBeCloseTo(0.5, 2);
    expect(mean(estimates.map(({ snips }) => snips))).toBeCloseTo(0.5, 1);
    const spread = Math.sqrt(mean(ips.map((value) => (value - mean(ips)) ** 2)));
    expect(mean(estimates.map(({ error }) => error)) / spread).toBeCloseTo(1, 0);
    const one = [{ reward: 1, count: 2, propensity: 0.01, target: 1 }];
    expect(inversePropensity(one).ips).toBe(50);
    expect(inversePropensity(one, 4).ips).toBe(2);
  });

  describeWithShared('on logged clicks with their propensities', 'data/open_bandit', (folder) => {
    const read = (name: string) => {
      const rows: Record<string, string>[] = parse(readFileSync(join(folder, `${name}.csv`)), {
        columns: true,
      });
      return rows.map((row) => ({
        click: Number(row.click),
        propensity: Number(row.propensity_score),
        item: row.item_id,
      }));
    };
    test.each(['men', 'women'])('%s: a learning policy tells of a random one what that one saw', (name) => {
      const [logged, uniform] = [read(`bts_${name}`), read(`random_${name}`)];
      const target = uniform[0]!.propensity;
      for (const { propensity } of uniform) expect(propensity).toBeCloseTo(target, 9);
      const { ips, snips, error } = inversePropensity(
        logged.map(({ click, propensity }) => ({ reward: click, count: 1, propensity, target })),
      );
      const seen = uniform.reduce((sum, { click }) => sum + click, 0) / uniform.length;
      const spread = Math.hypot(error, Math.sqrt(seen / uniform.length));
      expect(Math.abs(ips - seen)).toBeLessThan(3 * spread);
      expect(Math.abs(snips - seen)).toBeLessThan(3 * spread);
      expect(ips).toBeGreaterThan(0);
    });
  });
});

test('the area under the curve is the share of pairs in order, ties half', () => {
  const generator = random(5);
  const scores = Array.from({ length: 40 }, () => generator.below(8));
  const views = scores.map(() => generator.below(4));
  const positives = views.map((count) => generator.below(count + 1));
  let [won, pairs] = [0, 0];
  for (const [i, a] of scores.entries()) {
    for (const [j, b] of scores.entries()) {
      const weight = positives[i]! * (views[j]! - positives[j]!);
      won += weight * (a > b ? 1 : a === b ? 0.5 : 0);
      pairs += weight;
    }
  }
  expect(auc(scores, positives, views)).toBeCloseTo(won / pairs, 12);
  expect(auc([1, 2], [0, 0], [1, 1])).toBeNaN();
});

describe('isotonic regression', () => {
  test('rises, is the mean of each step, and no other rising step function of few steps is nearer', () => {
    const generator = random(6);
    for (let round = 0; round < 30; round++) {
      const scores = Array.from({ length: 12 }, () => generator.below(7));
      const labels = scores.map(() => generator.next());
      const weights = scores.map(() => generator.below(3));
      if (weights.every((weight) => weight === 0)) continue;
      const curve = isotonic(scores, labels, weights);
      for (let i = 1; i < curve.scores.length; i++) {
        expect(curve.scores[i]!).toBeGreaterThan(curve.scores[i - 1]!);
        expect(curve.values[i]!).toBeGreaterThan(curve.values[i - 1]!);
      }
      // Minimum of the weighted squares by the max-min formula, at each score.
      const levels = [...new Set(scores.filter((_, i) => weights[i]! > 0))].sort((a, b) => a - b);
      const mean = (from: number, to: number): number => {
        let [sum, total] = [0, 0];
        for (const [i, score] of scores.entries()) {
          if (score < from || score > to) continue;
          sum += weights[i]! * labels[i]!;
          total += weights[i]!;
        }
        return sum / total;
      };
      const steps = levels.map((level) =>
        Math.max(
          ...levels
            .filter((from) => from <= level)
            .map((from) => Math.min(...levels.filter((to) => to >= level).map((to) => mean(from, to)))),
        ),
      );
      const distinct = steps.filter((value, i) => i === 0 || Math.abs(value - steps[i - 1]!) > 1e-12);
      expect(curve.values).toHaveLength(distinct.length);
      for (const [i, value] of distinct.entries()) expect(curve.values[i]!).toBeCloseTo(value, 10);
    }
  });

  test('maps scores between knots linearly and repairs probabilities that are off', () => {
    const curve = { scores: [0, 2], values: [0.2, 0.6] };
    expect([-5, 0, 1, 2, 9].map((score) => calibrate(curve, score))).toEqual([0.2, 0.2, 0.4, 0.6, 0.6]);
    const generator = random(7);
    const scores = Array.from({ length: 4000 }, () => 2 * generator.normal());
    const labels = scores.map((score) => Number(generator.next() < 0.3 / (1 + Math.exp(-score))));
    const even = scores.map(() => 1);
    const plain = calibrationError(
      scores.map((score) => 1 / (1 + Math.exp(-score))),
      labels,
      even,
    );
    const fitted = isotonic(scores, labels);
    const repaired = calibrationError(
      scores.map((score) => calibrate(fitted, score)),
      labels,
      even,
    );
    expect(plain).toBeGreaterThan(0.2);
    expect(repaired).toBeLessThan(0.03);
  });
});
