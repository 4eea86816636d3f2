import type { Served } from './simulateQueue.ts';

/** Requests that arrived from `from` on and before `to`, in seconds. */
export function between(served: Served[], from: number, to: number): Served[] {
  return served.filter(({ at }) => at >= 1000 * from && at < 1000 * to);
}

/** By nearest rank. */
export function p99(served: Served[]): number {
  const sorted = served.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b);
  return sorted[Math.ceil(0.99 * sorted.length) - 1]!;
}

export function missed(served: Served[], deadlineMs: number): number {
  return served.filter(({ latencyMs }) => latencyMs > deadlineMs).length;
}

export function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Between the least and the greatest depth. */
export function amplitude(served: Served[]): number {
  const depths = served.map(({ depth }) => depth);
  return depths.reduce((a, b) => Math.max(a, b)) - depths.reduce((a, b) => Math.min(a, b));
}

/** How often depth changes its direction by `step` or more: a fall from a steady depth counts as one. */
export function turns(served: Served[], step: number): number {
  let [count, direction] = [0, 0];
  let [lowest, highest] = [served[0]!.depth, served[0]!.depth];
  for (const { depth } of served) {
    lowest = Math.min(lowest, depth);
    highest = Math.max(highest, depth);
    const turned =
      direction >= 0 && depth <= highest - step ? -1 : direction <= 0 && depth >= lowest + step ? 1 : 0;
    if (turned === 0) continue;
    count++;
    direction = turned;
    lowest = depth;
    highest = depth;
  }
  return count;
}
