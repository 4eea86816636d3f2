import type { RunEntry } from '../../core/types.ts';

/** One query's ranking, seen through its relevance grades. */
export interface RankedGrades {
  /** By rank; undefined where the relevance file does not list the document. */
  grades: (number | undefined)[];
  /** All grades above 0 of the query, highest first. */
  ideal: number[];
  /** Documents of a grade above 0. */
  relevant: number;
  /** Documents of grade 0. */
  notRelevant: number;
}

export function rankedGrades(entries: RunEntry[], judgements: Map<string, number>): RankedGrades {
  const all = [...judgements.values()];
  const ideal = all.filter((grade) => grade > 0).sort((a, b) => b - a);
  return {
    grades: entries.map(({ id }) => judgements.get(id)),
    ideal,
    relevant: ideal.length,
    notRelevant: all.filter((grade) => grade === 0).length,
  };
}
