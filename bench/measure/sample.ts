import { performance } from 'node:perf_hooks';

/** How long something took on the clock, and how much time of all processors, in milliseconds. */
export interface Sample {
  ms: number;
  cpuMs: number;
}

/** Runs `action` once, in this process. */
export async function sample(action: () => unknown): Promise<Sample> {
  const [began, before] = [performance.now(), process.cpuUsage()];
  await action();
  const ms = performance.now() - began;
  const { user, system } = process.cpuUsage(before);
  return { ms, cpuMs: (user + system) / 1000 };
}
