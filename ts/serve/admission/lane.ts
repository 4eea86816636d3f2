import { type Linked, WaitingLine } from './waitingLine.ts';
import type { WorkloadSettings } from './workloads.ts';

/** Slots are counted in whole millionths, so that sums of fractions are exact. */
export const SLOT = 1e6;

/** How much the latest unit counts in the mean service time. */
const RECENT = 0.1;

/** One piece of work, from the call of `run` until it settles. */
export interface Unit extends Linked<Unit> {
  readonly lane: Lane;
  /** What it occupies while it runs, in millionths of a slot. */
  readonly cost: number;
  readonly task: (signal: AbortSignal) => Promise<unknown>;
  readonly signal: AbortSignal | undefined;
  readonly arrived: number;
  readonly deadlineMs: number;
  /** Goes on with a job, so that it is not refused. */
  readonly begun: boolean;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
  waiting: boolean;
  /** Ends what watches its deadline and its signal while it waits. */
  unwatch: (() => void) | undefined;
}

/** One workload: its limits, what waits and runs, and what has been measured. Slots in millionths. */
export class Lane {
  readonly name: string;
  readonly settings: WorkloadSettings;
  /** Its minimum and maximum. */
  readonly least: number;
  readonly most: number;
  readonly line = new WaitingLine<Unit>();
  readonly tally = { admitted: 0, completed: 0, failed: 0, shed: 0, expired: 0, cancelled: 0 };
  /** Units that run, and what they occupy. */
  running = 0;
  held = 0;
  /** What the units that wait will occupy. */
  wanted = 0;
  /** Virtual time up to which it has been served. */
  finish = 0;
  /** What others have started since its first unit could have. */
  passed = 0;
  /** Milliseconds that started units have waited, summed. */
  waitedMs = 0;
  /** Milliseconds times slots that units have occupied, summed. */
  slotMs = 0;
  /** Recent means of cost times milliseconds, and of cost. */
  #work = 0;
  #cost = 0;

  constructor(name: string, settings: WorkloadSettings, slots: number) {
    this.name = name;
    this.settings = { ...settings };
    this.least = Math.round(settings.minShare * slots * SLOT);
    this.most = Math.round(settings.maxShare * slots * SLOT);
  }

  join(unit: Unit): void {
    this.line.push(unit);
    this.wanted += unit.cost;
  }

  leave(unit: Unit): void {
    this.line.remove(unit);
    this.wanted -= unit.cost;
    unit.waiting = false;
    unit.unwatch?.();
    if (this.line.length === 0) this.passed = 0;
  }

  measure(cost: number, ms: number): void {
    const part = this.#cost === 0 ? 1 : RECENT;
    this.#work += part * (cost * ms - this.#work);
    this.#cost += part * (cost - this.#cost);
  }

  /** Mean milliseconds that one slot's worth of its units has taken lately; `undefined` before the first. */
  get serviceMs(): number | undefined {
    return this.#cost === 0 ? undefined : this.#work / this.#cost;
  }
}
