import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { evaluate } from '../../../ts/offline/evaluate/evaluate.ts';
import { readQrels } from '../../../ts/offline/evaluate/readQrels.ts';
import { readRun } from '../../../ts/offline/evaluate/readRun.ts';

const folder = fileURLToPath(new URL('../../../../shared/data/trec_eval/', import.meta.url));
const present = existsSync(folder);
if (!present) console.warn(`Skipped: trec_eval's own values, which are looked for in ${folder}.`);
const cases = present
  ? readdirSync(folder).filter((name) => existsSync(`${folder}${name}/trec_eval.json`))
  : [];

(present ? describe : describe.skip)('trec_eval says the same', () => {
  test('there are cases', () => expect(cases.length).toBeGreaterThan(8));

  test.each(cases.length > 0 ? cases : ['none'])('%s', async (name) => {
    const expected = JSON.parse(readFileSync(`${folder}${name}/trec_eval.json`, 'utf8')) as Record<
      string,
      Record<string, number>
    >;
    const metrics = Object.keys(Object.values(expected)[0]!);
    const run = await readRun(`${folder}${name}/run.txt`);
    const found = evaluate(run, await readQrels(`${folder}${name}/qrels.txt`), metrics.join(','));
    expect([...found.queries.keys()].sort()).toEqual(Object.keys(expected).sort());
    for (const [query, values] of Object.entries(expected)) {
      for (const metric of metrics) {
        const said = `${query} ${metric} ${values[metric]!.toFixed(9)}`;
        expect(`${query} ${metric} ${found.queries.get(query)![metric]!.toFixed(9)}`).toBe(said);
      }
    }
    for (const metric of metrics) {
      const values = Object.values(expected).map((of) => of[metric]!);
      expect(found.mean[metric]).toBeCloseTo(values.reduce((sum, value) => sum + value) / values.length, 9);
    }
  });
});
