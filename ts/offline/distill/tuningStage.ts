import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomic } from '../../core/files.ts';
import { random } from '../../core/random.ts';
import type { Qrels } from '../../core/types.ts';
import { openCrossEncoder } from '../../models/crossEncoder.ts';
import { actionLabels } from './actionLabels.ts';
import { readImpressions } from './actionStage.ts';
import { chooseBlend, type Finalists } from './blend.ts';
import { readCandidates } from './candidateStage.ts';
import { readGrades, readItems } from './collection.ts';
import { type Calibration, calibrate, calibrationError, isotonic } from './isotonic.ts';
import type { Measure } from './measure.ts';
import type { DistillRecipe } from './recipe.ts';
import type { Report } from './report.ts';
import { type Asked, scorePages } from './scorePages.ts';
import type { Stage } from './stage.ts';
import { modelIn } from './trainStage.ts';

/** What dev queries taught about a ranker. */
export interface Tuning {
  /** Weight of the ranker's score beside retrieval's, and mean NDCG@10 of the collections with it and without a ranker. */
  blend: number;
  ndcg: { blended: number; fused: number };
  queries: number;
  /** By objective, if anything is known of it: score to probability, and the calibration error that is left. */
  calibration: Record<string, Calibrated>;
}

export interface Calibrated {
  curve: Calibration;
  /** On dev queries that the curve was not fitted to: of the model's own probabilities, and of the calibrated ones. */
  error: { before: number; after: number };
  views: number;
}

export const TUNING = 'tuning.json';
/** Dev queries at most, as many of each collection. */
const QUERIES = 600;

interface Sample {
  score: number;
  label: number;
  isFitted: boolean;
}

/** Chooses the blend weight of the student and calibrates each of its objectives on dev queries. */
export function tuningStage(
  { collections, finalists: depth, seed }: DistillRecipe,
  objectives: readonly string[],
  directories: { student: string; candidates: Record<string, string>; actions: Record<string, string> },
  measure: Measure,
  { report, signal }: { report: Report; signal: AbortSignal | undefined },
): Stage {
  const tuned = collections.filter(({ dev }) => dev);
  return {
    name: 'tuning',
    options: { depth, objectives, seed, collections: tuned.map(({ name }) => name) },
    inputs: {
      student: directories.student,
      ...Object.fromEntries(
        tuned.flatMap(({ name, corpus, dev }) => [
          [`${name}.corpus`, corpus],
          [`${name}.queries`, dev!.queries],
          [`${name}.qrels`, dev!.qrels],
          [`${name}.candidates`, directories.candidates[name]!],
          ...(directories.actions[name] ? [[`${name}.actions`, directories.actions[name]]] : []),
        ]),
      ),
    },
    async run(directory) {
      const finalists: Finalists[] = [];
      const qrels: Qrels = new Map();
      const samples = new Map<string, Sample[]>(objectives.map((name) => [name, []]));
      for (const { name, corpus, dev } of tuned) {
        const documents = await readItems(corpus);
        const queries = new Map((await readItems(dev!.queries)).map((query) => [query.id, query]));
        const grades = await readGrades(dev!.qrels);
        const all = (await readCandidates(directories.candidates[name]!)).filter(
          ({ split, query, found }) => split === 'dev' && found.length > 0 && grades.has(query),
        );
        const chosen = random(seed)
          .shuffle(all)
          .slice(0, Math.ceil(QUERIES / tuned.length));
        const asked = chosen.map(({ query, found }): Asked => {
          const top = found.slice(0, depth);
          return { query: queries.get(query)!, documents: top.map(({ document }) => document) };
        });
        const done = directories.actions[name];
        const labels = done
          ? actionLabels(await readImpressions(done), objectives.slice(1), { masking: false })
          : undefined;
        let highest = 1;
        for (const ofQuery of grades.values()) highest = Math.max(highest, ...ofQuery.values());
        for (const [o, objective] of objectives.entries()) {
          if (o > 0 && labels === undefined) continue;
          const folder = join(directory, `${name}-${objective}`);
          await mkdir(folder, { recursive: true });
          const ranker = await openCrossEncoder(
            modelIn(directories.student),
            objectives.length > 1 ? { objective } : {},
          );
          const onDone = (now: number, total: number) =>
            report('queries', now, total, `${name}, ${objective}`);
          const scores = await scorePages(folder, ranker, asked, documents, { signal, onDone });
          await ranker.close();
          for (const [i, { query, found }] of chosen.entries()) {
            const ids = asked[i]!.documents.map((index) => documents[index]!.id);
            if (o === 0) {
              const key = `${name}\0${query}`;
              qrels.set(key, grades.get(query)!);
              const retrieval = found.slice(0, depth).map(({ score }) => score);
              finalists.push({ query: key, collection: name, documents: ids, retrieval, ranker: scores[i]! });
            }
            for (const [at, id] of ids.entries()) {
              const label =
                o === 0
                  ? Math.max(0, grades.get(query)!.get(id) ?? 0) / highest
                  : labels!.get(query)?.get(id)?.[objective];
              if (label === undefined || label === null) continue;
              samples.get(objective)!.push({ score: scores[i]![at]!, label, isFitted: i % 2 === 0 });
            }
          }
          await rm(folder, { recursive: true });
        }
      }
      const { blend, ndcg } = chooseBlend(finalists, qrels, measure);
      const known = [...samples].filter(([, all]) => all.some(({ isFitted }) => !isFitted));
      const tuning: Tuning = {
        blend,
        ndcg,
        queries: finalists.length,
        calibration: Object.fromEntries(known.map(([name, all]) => [name, calibrated(all)])),
      };
      await writeAtomic(join(directory, TUNING), `${JSON.stringify(tuning, null, 1)}\n`);
    },
  };
}

function calibrated(samples: readonly Sample[]): Calibrated {
  const column = (all: readonly Sample[], name: 'score' | 'label') => all.map((one) => one[name]);
  const fitted = samples.filter(({ isFitted }) => isFitted);
  const others = samples.filter(({ isFitted }) => !isFitted);
  const curve = isotonic(column(fitted, 'score'), column(fitted, 'label'));
  const error = (probability: (score: number) => number) =>
    calibrationError(
      others.map(({ score }) => probability(score)),
      column(others, 'label'),
      others.map(() => 1),
    );
  return {
    curve,
    error: {
      before: error((score) => 1 / (1 + Math.exp(-score))),
      after: error((score) => calibrate(curve, score)),
    },
    views: samples.length,
  };
}
