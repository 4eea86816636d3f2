import { performance } from 'node:perf_hooks';
import type { Sample } from './sample.ts';

export interface Rounds {
  rounds: number;
  /** No more rounds than two are begun after so many seconds. */
  seconds: number;
}

/**
 * Engines in turns, so that what else the machine does falls on all of them: once each to warm up, then round by round,
 * each round in the other direction than the one before.
 */
export async function interleaved(
  engines: Record<string, () => Promise<Sample>>,
  { rounds, seconds }: Rounds,
): Promise<Record<string, Sample[]>> {
  const names = Object.keys(engines);
  const samples: Record<string, Sample[]> = Object.fromEntries(names.map((name) => [name, []]));
  const began = performance.now();
  for (const name of names) await engines[name]!();
  for (let round = 0; round < rounds; round++) {
    if (round >= 2 && performance.now() - began > seconds * 1000) break;
    for (const name of round % 2 === 0 ? names : names.toReversed())
      samples[name]!.push(await engines[name]!());
  }
  return samples;
}
