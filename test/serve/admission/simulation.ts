import type { Random } from '../../../ts/core/random.ts';
import { WorkManager, type WorkManagerOptions } from '../../../ts/serve/admission/workManager.ts';
import { VirtualTime } from './virtualTime.ts';

/** A job comes at a time with slices of work, one after the other, each of which asks for admission. */
export interface Job {
  workload: string;
  at: number;
  /** Milliseconds of each slice. */
  slices: number[];
}

/** What became of a slice. */
export interface Outcome {
  workload: string;
  arrived: number;
  /** Undefined if it never started. */
  started: number | undefined;
  ended: number;
  /** `done`, or the code of its error. */
  result: string;
}

type Shares = Pick<WorkManagerOptions, 'slots' | 'workloads'>;

/** Runs jobs in virtual time; each workload on the manager of the group that names it. */
export async function simulate(groups: Shares[], jobs: Job[]): Promise<Outcome[]> {
  const time = new VirtualTime();
  const { now, after, sleep } = time;
  const managers = groups.map((shares) => ({ shares, manager: new WorkManager({ ...shares, now, after }) }));
  const outcomes: Outcome[] = [];
  const work = async ({ workload, slices }: Job): Promise<void> => {
    const { manager } = managers.find(({ shares }) => workload in shares.workloads)!;
    for (const ms of slices) {
      const outcome: Outcome = { workload, arrived: now(), started: undefined, ended: 0, result: 'done' };
      outcomes.push(outcome);
      const task = (): Promise<void> => {
        outcome.started = now();
        return sleep(ms);
      };
      try {
        await manager.run(workload, task);
      } catch (error) {
        outcome.result = (error as { code: string }).code;
      }
      outcome.ended = now();
    }
  };
  const working: Promise<void>[] = [];
  for (const job of jobs) after(job.at, () => void working.push(work(job)));
  await time.run();
  await Promise.all(working);
  return outcomes;
}

/** Single slices that come at random, `perSecond` on average, from `from` to `to`. */
export function poisson(
  workload: string,
  random: Random,
  perSecond: number,
  [from, to]: [number, number],
  service: () => number,
): Job[] {
  const jobs: Job[] = [];
  const gap = (): number => (-Math.log(1 - random.next()) * 1000) / perSecond;
  for (let at = from + gap(); at < to; at += gap()) jobs.push({ workload, at, slices: [service()] });
  return jobs;
}

/** Value below which a part of the numbers lies, by nearest rank. */
export function quantile(numbers: number[], part: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)]!;
}

/** Milliseconds from arrival to end of what was done. */
export function latencies(outcomes: Outcome[], workload: string): number[] {
  return outcomes
    .filter((outcome) => outcome.workload === workload && outcome.result === 'done')
    .map(({ arrived, ended }) => ended - arrived);
}

/** Milliseconds that anything that started had waited. */
export function longestWait(outcomes: Outcome[]): number {
  return Math.max(...outcomes.map(({ arrived, started = arrived }) => started - arrived));
}

/** Milliseconds times slots that ran between two times. */
export function busy(outcomes: Outcome[], [from, to]: [number, number]): number {
  return outcomes
    .map(({ started = to, ended }) => Math.max(0, Math.min(ended, to) - Math.max(started, from)))
    .reduce((sum, ms) => sum + ms, 0);
}
