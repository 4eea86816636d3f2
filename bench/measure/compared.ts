import { interleaved, type Rounds } from './interleaved.ts';
import { type Sample, sample } from './sample.ts';
import { rounded, type Summary, summary } from './summary.ts';

/** What an engine took, and what it found. */
export type Answered = Sample & { values: ArrayLike<number> };

export interface Compared extends Summary {
  /** The largest difference of an engine's values from those of the first. */
  differences: Record<string, number>;
}

/** Engines in turns on the same work; the first one is ours. */
export async function compared(
  engines: Record<string, () => Promise<Answered>>,
  rounds: Rounds,
): Promise<Compared> {
  const [ours] = Object.keys(engines) as [string];
  const found: Record<string, ArrayLike<number>> = {};
  const timed = Object.entries(engines).map(([name, run]) => [
    name,
    async (): Promise<Sample> => {
      const { values, ...times } = await run();
      found[name] = values;
      return times;
    },
  ]);
  const result = summary(ours, await interleaved(Object.fromEntries(timed), rounds));
  const worst = (values: ArrayLike<number>): number =>
    Array.from(values).reduce((most, value, i) => Math.max(most, Math.abs(value - found[ours]![i]!)), 0);
  const differences = Object.entries(found).map(([name, values]) => [name, rounded(worst(values))] as const);
  return { differences: Object.fromEntries(differences), ...result };
}

/** Runs an engine of this process. */
export async function answered(run: () => Promise<ArrayLike<number>>): Promise<Answered> {
  let values: ArrayLike<number> = [];
  const times = await sample(async () => {
    values = await run();
  });
  return { ...times, values };
}

/** How much of `count` each engine does in a second, by the medians. */
export const perSecond = ({ median }: Summary, count: number): Record<string, number> =>
  Object.fromEntries(Object.entries(median).map(([name, { ms }]) => [name, rounded((count / ms) * 1000)]));
