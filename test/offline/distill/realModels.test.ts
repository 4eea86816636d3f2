import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, jest, test } from '@jest/globals';
import { openCrossEncoder } from '../../../ts/models/crossEncoder.ts';
import { distill } from '../../../ts/offline/distill/distill.ts';
import type { Measure } from '../../../ts/offline/distill/measure.ts';
import { readDistillRecipe } from '../../../ts/offline/distill/recipe.ts';
import { bootstrap } from '../../../ts/offline/evaluate/bootstrap.ts';
import { evaluate } from '../../../ts/offline/evaluate/evaluate.ts';
import { readRecipe } from '../../../ts/offline/train/recipe.ts';
import { trainModel } from '../../../ts/offline/train/trainModel.ts';
import { describeWithShared } from '../../helpers/describeWithShared.ts';

jest.setTimeout(300_000);

const measure: Measure = {
  ndcg: (run, qrels) =>
    new Map(
      Array.from(evaluate(run, qrels, 'ndcg_exp@10', { complete: true }).queries, ([query, values]) => [
        query,
        values['ndcg_exp@10']!,
      ]),
    ),
  interval: (values) => bootstrap([Float64Array.from(values)])[0]!,
};

describeWithShared('with real models on real postings', 'data/jobs', (data) => {
  const folder = mkdtempSync(join(tmpdir(), 'seine-distill-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** The first queries of a split, with the postings of some grades of theirs. */
  function sample(split: string, count: number, documents: Set<string>): void {
    const lines = (name: string) => readFileSync(join(data, name), 'utf8').trim().split('\n');
    const queries = lines(`queries.${split}.jsonl`).slice(0, count);
    const ids = new Set(queries.map((line) => JSON.parse(line)._id));
    const perQuery = new Map<string, number>();
    const rows = lines(`qrels/${split}.tsv`).filter((row) => {
      const [query] = row.split('\t') as [string];
      const seen = perQuery.get(query) ?? 0;
      perQuery.set(query, seen + 1);
      return ids.has(query) && seen < 4;
    });
    for (const row of rows) documents.add(row.split('\t')[1]!);
    writeFileSync(join(folder, `${split}.jsonl`), queries.join('\n'));
    writeFileSync(join(folder, `${split}.tsv`), ['query-id\tcorpus-id\tscore', ...rows].join('\n'));
  }

  test('a ranker of one layer of MiniLM comes out of grades, small and whole', async () => {
    mkdirSync(folder, { recursive: true });
    const documents = new Set<string>();
    for (const [split, count] of [
      ['train', 40],
      ['dev', 12],
      ['test', 12],
    ] as const) {
      sample(split, count, documents);
    }
    const postings = readFileSync(join(data, 'corpus.jsonl'), 'utf8').trim().split('\n');
    const kept = postings.filter((line) => documents.has(JSON.parse(line)._id));
    writeFileSync(join(folder, 'corpus.jsonl'), kept.join('\n'));
    const files = (name: string) => ({ queries: `./${name}.jsonl`, qrels: `./${name}.tsv` });
    const recipe = {
      name: 'sample',
      task: 'cross-encoder',
      collections: [
        {
          name: 'jobs',
          corpus: './corpus.jsonl',
          ...{ train: files('train'), dev: files('dev'), test: files('test') },
          subject: { document: 'occupation', query: 'occupations' },
        },
      ],
      candidates: { model: 'seine-embed-small', maxTokens: 64, depth: 40 },
      student: {
        model: join(data, '../../models/all-MiniLM-L6-v2'),
        layers: [0],
        maxTokens: 32,
        batch: 4,
        documents: 4,
        steps: 4,
        losses: [{ name: 'listwise' }],
      },
      finalists: 10,
    };
    writeFileSync(join(folder, 'recipe.json'), JSON.stringify(recipe));
    const done: string[] = [];
    const model = await distill(await readDistillRecipe(join(folder, 'recipe.json')), {
      out: join(folder, 'out'),
      train: async (path, { out, onStep }) => trainModel(await readRecipe(path), { out, onStep }),
      prune: () => Promise.reject(new Error('no layer of this student should be thinned')),
      measure,
      onDone: ({ stage }) => done.push(stage),
    });
    expect(done.at(-1)).toBe('model');
    const splits = JSON.parse(readFileSync(join(folder, 'out/splits/splits.json'), 'utf8'));
    expect(splits.jobs.heldOut.length).toBeGreaterThan(0);
    const lists = readFileSync(join(folder, 'out/lists-jobs/lists.jsonl'), 'utf8').trim().split('\n');
    const occupation = new Map(
      kept.map((line) => [JSON.parse(line)._id, JSON.parse(line).metadata.occupation]),
    );
    for (const line of lists) {
      for (const id of JSON.parse(line).documents) {
        expect(splits.jobs.heldOut).not.toContain(occupation.get(id));
      }
    }
    const [figures] = JSON.parse(readFileSync(join(folder, 'out/evaluation/evaluation.json'), 'utf8'));
    expect(figures.retrieval.fused.mean).toBeGreaterThan(0.3);
    expect(figures.queries).toBe(12);
    expect(readFileSync(join(model, 'onnx/model.onnx')).length).toBeLessThan(15_000_000);
    // Other programs than Seine pad and cut off as the tokenizer's file says.
    const { padding, truncation } = JSON.parse(readFileSync(join(model, 'tokenizer.json'), 'utf8'));
    expect({ padding, most: truncation.max_length }).toEqual({ padding: null, most: 32 });
    // The int8 graph scores as the student in full precision does.
    const scores = async (directory: string) => {
      const ranker = await openCrossEncoder(directory);
      const scored = await ranker.score('night nurse', [
        'Registered nurse on nights',
        'Roof tiler',
        'Chemist',
      ]);
      await ranker.close();
      return [...scored.scores];
    };
    const [whole, small] = [await scores(join(folder, 'out/student/model')), await scores(model)];
    for (const [i, score] of small.entries()) expect(Math.abs(score - whole[i]!)).toBeLessThan(0.05);
  });
});
