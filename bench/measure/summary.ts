import type { Sample } from './sample.ts';

export interface Spread {
  median: number;
  least: number;
  most: number;
}

export interface Summary {
  /** Every round, engine by engine. */
  samples: Record<string, Sample[]>;
  median: Record<string, Sample>;
  /** How many times as long the others took as the engine in question: the median, least and most of the rounds. */
  ratio: Record<string, Spread>;
  /** The same in time of the processors, which other programs on the machine disturb less. */
  cpuRatio: Record<string, Spread>;
}

/** What the rounds of `interleaved` say about `ours`. */
export function summary(ours: string, samples: Record<string, Sample[]>): Summary {
  const result: Summary = { samples, median: {}, ratio: {}, cpuRatio: {} };
  for (const [name, taken] of Object.entries(samples)) {
    result.median[name] = {
      ms: rounded(middle(taken.map(({ ms }) => ms))),
      cpuMs: rounded(middle(taken.map(({ cpuMs }) => cpuMs))),
    };
    if (name === ours) continue;
    const own = samples[ours]!;
    result.ratio[name] = spread(taken.map(({ ms }, i) => ms / own[i]!.ms));
    result.cpuRatio[name] = spread(taken.map(({ cpuMs }, i) => cpuMs / own[i]!.cpuMs));
  }
  return result;
}

export function spread(values: number[]): Spread {
  return {
    median: rounded(middle(values)),
    least: rounded(Math.min(...values)),
    most: rounded(Math.max(...values)),
  };
}

/** The median. */
export function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}

/** To four figures. */
export const rounded = (value: number): number => Number(value.toPrecision(4));
