import { SeineError, show } from '../../core/errors.ts';
import type { RankedGrades } from './rankedGrades.ts';

/** A measure of one ranking, 0 when nothing is relevant; counts (`num_…`) aside, in [0, 1]. */
export interface Metric {
  /** As it was asked for. */
  name: string;
  compute(ranking: RankedGrades): number;
}

interface Family {
  names: string[];
  cutoff: 'none' | 'optional' | 'needed';
  compute(ranking: RankedGrades, k: number): number;
}

/** The first name of each is ours, the others are trec_eval's; `@10` and `_10` both give the cutoff. */
const FAMILIES: Family[] = [
  { names: ['ndcg', 'ndcg_cut'], cutoff: 'optional', compute: (r, k) => ndcg(r, k, (grade) => grade) },
  { names: ['ndcg_exp'], cutoff: 'optional', compute: (r, k) => ndcg(r, k, (grade) => 2 ** grade - 1) },
  { names: ['map', 'map_cut'], cutoff: 'optional', compute: averagePrecision },
  { names: ['mrr', 'recip_rank'], cutoff: 'optional', compute: reciprocalRank },
  { names: ['p', 'P'], cutoff: 'needed', compute: (r, k) => relevantIn(r, k) / k },
  { names: ['recall'], cutoff: 'needed', compute: (r, k) => ratio(relevantIn(r, k), r.relevant) },
  { names: ['success'], cutoff: 'needed', compute: (r, k) => Math.min(1, relevantIn(r, k)) },
  { names: ['judged'], cutoff: 'needed', compute: judged },
  { names: ['rprec', 'Rprec'], cutoff: 'none', compute: (r) => ratio(relevantIn(r, r.relevant), r.relevant) },
  { names: ['bpref'], cutoff: 'none', compute: bpref },
  { names: ['num_ret'], cutoff: 'none', compute: (r) => r.grades.length },
  { names: ['num_rel'], cutoff: 'none', compute: (r) => r.relevant },
  { names: ['num_rel_ret'], cutoff: 'none', compute: (r) => relevantIn(r, r.grades.length) },
];

/** What `parseMetrics` accepts, for a person. */
export const METRIC_NAMES = FAMILIES.map(({ names, cutoff }) =>
  cutoff === 'none' ? names[0] : cutoff === 'needed' ? `${names[0]}@k` : `${names[0]}[@k]`,
).join(', ');

/**
 * Reads a list such as `ndcg@10,map,recall@100`. trec_eval's spellings (`ndcg_cut_10`, `P_5`, `recip_rank`) are
 * accepted too, and a metric keeps the name that it was asked by.
 * @throws ERR_ARGUMENT for an unknown name, or a cutoff that is missing, not wanted or not a positive integer.
 */
export function parseMetrics(list: string): Metric[] {
  const names = list.split(',').map((name) => name.trim());
  return [...new Set(names)].map(parseMetric);
}

function parseMetric(name: string): Metric {
  const parts = /^([a-z_]+?)(?:[@_]([1-9]\d{0,8}))?$/i.exec(name);
  const family = FAMILIES.find(({ names }) => names.includes(parts?.[1] ?? ''));
  const hasCutoff = parts?.[2] !== undefined;
  if (family === undefined || (hasCutoff ? family.cutoff === 'none' : family.cutoff === 'needed')) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `Expected metrics out of ${METRIC_NAMES} (k: a positive integer), separated by commas, got ${show(name)}.`,
    );
  }
  const k = hasCutoff ? Number(parts![2]) : Number.POSITIVE_INFINITY;
  return { name, compute: (ranking) => family.compute(ranking, k) };
}

/** A document that the relevance file does not list counts as not relevant. */
function isRelevant(grade: number | undefined): boolean {
  return grade !== undefined && grade > 0;
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function relevantIn({ grades }: RankedGrades, k: number): number {
  return grades.slice(0, k).filter(isRelevant).length;
}

/** Discounted by log2(rank + 1), against the best order of all judged documents. */
function ndcg({ grades, ideal }: RankedGrades, k: number, gain: (grade: number) => number): number {
  const gained = (list: (number | undefined)[]): number => {
    let sum = 0;
    for (let i = 0; i < Math.min(k, list.length); i++) {
      const grade = list[i];
      if (grade !== undefined && grade > 0) sum += gain(grade) / Math.log2(i + 2);
    }
    return sum;
  };
  return ratio(gained(grades), gained(ideal));
}

function averagePrecision({ grades, relevant }: RankedGrades, k: number): number {
  let [found, sum] = [0, 0];
  for (let i = 0; i < Math.min(k, grades.length); i++) if (isRelevant(grades[i])) sum += ++found / (i + 1);
  return ratio(sum, relevant);
}

function reciprocalRank({ grades }: RankedGrades, k: number): number {
  const first = grades.findIndex(isRelevant);
  return first < 0 || first >= k ? 0 : 1 / (first + 1);
}

/** Share of the first k results (fewer if there are fewer) that the relevance file lists, with whatever grade. */
function judged({ grades }: RankedGrades, k: number): number {
  const top = grades.slice(0, k);
  return ratio(top.filter((grade) => grade !== undefined).length, top.length);
}

/** Negative grades mean "in the pool, not judged" here, as in trec_eval: they are no bad documents. */
function bpref({ grades, relevant, notRelevant }: RankedGrades): number {
  let [worse, sum] = [0, 0];
  for (const grade of grades) {
    if (grade === undefined || grade < 0) continue;
    if (grade === 0) worse++;
    else sum += worse === 0 ? 1 : 1 - Math.min(worse, relevant) / Math.min(notRelevant, relevant);
  }
  return ratio(sum, relevant);
}
