import { type Random, random } from '../../../ts/core/random.ts';

/** A queue with `servers` that rank: first come, first served, in virtual milliseconds. */
export interface Plant {
  servers: number;
  /** Service time of a request that ranks nothing. */
  fixedMs: number;
  perDocumentMs: number;
  /** Standard deviation of the logarithm of service times; their median is `fixedMs + perDocumentMs · depth`. */
  spread: number;
  /** From the end of a request until its latency is reported. */
  deadMs: number;
}

/** Requests at a steady rate, for so long. */
export interface Phase {
  seconds: number;
  perSecond: number;
}

export interface Arrival {
  at: number;
  /** What its service time is multiplied with. */
  noise: number;
}

export interface Served {
  at: number;
  latencyMs: number;
  waitMs: number;
  depth: number;
}

/** What chooses the depths; it is asked when ranking starts, and told when an answer has left. */
export interface Policy {
  readonly depth: number;
  observe(latencyMs: number, request: { waitMs: number; depth: number }): void;
}

/** Poisson arrivals: the same for the same seed, whatever then becomes of them. */
export function poisson(phases: Phase[], spread: number, seed: number): Arrival[] {
  const source: Random = random(seed);
  const arrivals: Arrival[] = [];
  let start = 0;
  for (const { seconds, perSecond } of phases) {
    const end = start + 1000 * seconds;
    let at = start;
    while (true) {
      at += (-Math.log(1 - source.next()) * 1000) / perSecond;
      if (at >= end) break;
      arrivals.push({ at, noise: Math.exp(spread * source.normal()) });
    }
    start = end;
  }
  return arrivals;
}

/**
 * Serves all arrivals. With one queue requests start in the order of their arrival, so all that the policy knows at a
 * start is what ended before. `clock` is set to the time of what happens.
 */
export function simulate(
  plant: Plant,
  arrivals: Arrival[],
  policy: Policy,
  clock: { now: number },
): Served[] {
  const free = new Float64Array(plant.servers);
  const reports: { due: number; served: Served }[] = [];
  const report = (until: number): void => {
    reports.sort((a, b) => a.due - b.due);
    while (reports.length > 0 && reports[0]!.due <= until) {
      const { due, served } = reports.shift()!;
      clock.now = due;
      policy.observe(served.latencyMs, served);
    }
  };
  const all = arrivals.map(({ at, noise }) => {
    const server = free.indexOf(Math.min(...free));
    const start = Math.max(at, free[server]!);
    report(start);
    clock.now = start;
    const { depth } = policy;
    const end = start + (plant.fixedMs + plant.perDocumentMs * depth) * noise;
    free[server] = end;
    const served = { at, latencyMs: end - at, waitMs: start - at, depth };
    reports.push({ due: end + plant.deadMs, served });
    return served;
  });
  report(Number.POSITIVE_INFINITY);
  return all;
}
