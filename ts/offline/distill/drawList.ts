import type { Random } from '../../core/random.ts';
import { subjectsOf, type TextItem } from './collection.ts';
import type { Scored } from './lexicalIndex.ts';
import type { DistillRecipe } from './recipe.ts';

/** Why a document is in a list. */
export type Bucket = 'positive' | 'hardPositive' | 'hardNegative' | 'randomNegative';

/** How many documents of each bucket, and how many of the first places are no hard negatives. */
export type Policy = Pick<
  DistillRecipe['candidates'],
  'positives' | 'hardPositives' | 'hardNegatives' | 'randomNegatives' | 'skip' | 'depth'
>;

export interface GradedQuery {
  /** document id -> grade */
  grades: ReadonlyMap<string, number>;
  /** Indices of documents, best first. */
  found: readonly Scored[];
}

export interface DrawnDocument {
  index: number;
  grade: number;
  bucket: Bucket;
}

/** A collection's documents, as lists are drawn from them. */
export interface Pool {
  documents: readonly TextItem[];
  byId: ReadonlyMap<string, number>;
  /** Field of metadata that tells the subject. */
  subject: string | undefined;
  /** Subjects whose documents are not learnt from. */
  heldOut: ReadonlySet<string>;
  /** Ids of documents that are not learnt from. */
  dropped: ReadonlySet<string>;
}

/**
 * Draws the documents of a query: relevant ones of the best grades, relevant ones that were ranked low or not found (hard
 * positives), ones that were found and are not relevant (hard negatives), and any others. A document without a grade whose
 * subject is that of a relevant one is no certain negative, for constraints that the text does not show may have made the
 * difference: it is passed over. Undefined if there is nothing relevant or no negative.
 */
export function drawList(
  { grades, found }: GradedQuery,
  { documents, byId, subject, heldOut, dropped }: Pool,
  policy: Policy,
  random: Random,
): DrawnDocument[] | undefined {
  const gradeOf = (index: number): number => Math.max(0, grades.get(documents[index]!.id) ?? 0);
  const subjects = (index: number): string[] => subjectsOf(documents[index]!, subject);
  const isAllowed = (index: number): boolean =>
    !dropped.has(documents[index]!.id) && !subjects(index).some((name) => heldOut.has(name));
  const relevant = [...grades.keys()]
    .flatMap((id) => byId.get(id) ?? [])
    .filter((index) => gradeOf(index) > 0 && isAllowed(index));
  const ofRelevant = new Set(relevant.flatMap(subjects));
  const isNegative = (index: number): boolean =>
    gradeOf(index) === 0 && isAllowed(index) && !subjects(index).some((name) => ofRelevant.has(name));
  const place = new Map(found.map(({ document }, rank) => [document, rank]));
  const isLow = (index: number): boolean => (place.get(index) ?? policy.depth) >= policy.depth / 2;

  const chosen = new Map<number, Bucket>();
  const take = (indices: readonly number[], most: number, bucket: Bucket): void => {
    let left = most;
    for (const index of indices) {
      if (left === 0) break;
      if (chosen.has(index)) continue;
      chosen.set(index, bucket);
      left--;
    }
  };
  const shuffled = random.shuffle([...relevant]);
  const highest = relevant.reduce((most, index) => Math.max(most, gradeOf(index)), 0);
  take(
    shuffled.filter((index) => gradeOf(index) === highest),
    1,
    'positive',
  );
  const near = shuffled.filter((index) => !isLow(index));
  take([...near, ...shuffled], policy.positives - 1, 'positive');
  take(shuffled.filter(isLow), policy.hardPositives, 'hardPositive');
  const places = found.slice(policy.skip).map(({ document }) => document);
  take(random.shuffle(places.filter(isNegative)), policy.hardNegatives, 'hardNegative');
  const strays = Array.from({ length: 8 * policy.randomNegatives }, () => random.below(documents.length));
  take(strays.filter(isNegative), policy.randomNegatives, 'randomNegative');
  const buckets = new Set(chosen.values());
  if (!buckets.has('positive') || !(buckets.has('hardNegative') || buckets.has('randomNegative'))) {
    return undefined;
  }
  return Array.from(chosen, ([index, bucket]) => ({ index, grade: gradeOf(index), bucket }));
}
