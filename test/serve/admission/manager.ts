import { setImmediate } from 'node:timers/promises';
import type { WorkloadSettings } from '../../../ts/serve/admission/workloads.ts';
import {
  type RunOptions,
  WorkManager,
  type WorkManagerOptions,
} from '../../../ts/serve/admission/workManager.ts';
import { VirtualTime } from './virtualTime.ts';

/** A workload with the given settings, else without limits. */
export function workload(settings: Partial<WorkloadSettings> = {}): WorkloadSettings {
  return { weight: 1, minShare: 0, maxShare: 1, queue: 100, ...settings };
}

/** A unit of work that ends when the test says so. */
export interface Controlled {
  name: string;
  /** How `run` settled: a value, or the error. */
  settled: { value: unknown } | { error: unknown } | undefined;
  signal: AbortSignal | undefined;
  end(value?: unknown): Promise<void>;
  fail(error: unknown): Promise<void>;
}

/** A manager in virtual time, of which the test ends each unit. */
export class Managed {
  readonly time = new VirtualTime();
  readonly manager: WorkManager;
  /** Names of the units in the order in which they were started. */
  readonly started: string[] = [];

  constructor(slots: number, workloads: WorkManagerOptions['workloads']) {
    const { now, after } = this.time;
    this.manager = new WorkManager({ slots, workloads, now, after });
  }

  /** Asks for admission of a unit. */
  async run(name: string, workloadName: string, options?: RunOptions): Promise<Controlled> {
    let end: (value: unknown) => void = () => {};
    let fail: (error: unknown) => void = () => {};
    const work = new Promise<unknown>((resolve, reject) => {
      end = resolve;
      fail = reject;
    });
    const unit: Controlled = {
      name,
      settled: undefined,
      signal: undefined,
      end: (value) => settle(() => end(value)),
      fail: (error) => settle(() => fail(error)),
    };
    const task = (signal: AbortSignal): Promise<unknown> => {
      unit.signal = signal;
      this.started.push(name);
      return work;
    };
    this.manager.run(workloadName, task, options).then(
      (value) => {
        unit.settled = { value };
      },
      (error: unknown) => {
        unit.settled = { error };
      },
    );
    await setImmediate();
    return unit;
  }

  async runAll(names: string[], workloadName: string, options?: RunOptions): Promise<Controlled[]> {
    const units: Controlled[] = [];
    for (const name of names) units.push(await this.run(name, workloadName, options));
    return units;
  }
}

async function settle(act: () => void): Promise<void> {
  act();
  await setImmediate();
}
