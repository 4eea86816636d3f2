import { performance } from 'node:perf_hooks';
import { SeineError, show } from '../../core/errors.ts';
import { Lane, SLOT, type Unit } from './lane.ts';
import { nextLane } from './nextLane.ts';
import { refusal } from './refusal.ts';
import { stateOf, type WorkloadState } from './workloadState.ts';
import { checkDeadline, checkWorkloads, type WorkloadSettings } from './workloads.ts';

export interface WorkManagerOptions {
  /** Units of cost 1 that may run at once: a positive whole number. */
  slots: number;
  /** Workloads by name. */
  workloads: Record<string, WorkloadSettings>;
  /** A clock in milliseconds that never goes back, `performance.now` by default. */
  now?: (() => number) | undefined;
  /** Calls back once after `ms`, unless the function that it returns is called before: `setTimeout` by default. */
  after?: ((ms: number, callback: () => void) => () => void) | undefined;
}

export interface RunOptions {
  /**
   * Slots that it occupies, 1 by default: a positive number. More than the workload's maximum counts as that maximum,
   * so that it runs alone in its workload.
   */
  cost?: number | undefined;
  /** Milliseconds that it may wait, instead of the workload's own deadline. */
  deadlineMs?: number | undefined;
  /** Takes it out of the queue, or is passed on to the task. */
  signal?: AbortSignal | undefined;
  /**
   * Whether it goes on with a job of which something was done already: then it waits its turn however many wait, as
   * long as its own `deadlineMs` lets it. The workload's queue and deadline are for what has not begun.
   */
  begun?: boolean | undefined;
}

/**
 * Shares the slots of the process out among named workloads. Each has a minimum and a maximum share, a weight, a
 * bounded queue and a deadline. What runs is never interrupted, so long jobs come in slices of about 20 ms.
 *
 * - As a slot falls free, workloads below their minimum go first; then the slots go round by weight (`nextLane`): what
 *   is started, counted by its cost, not by the time that it takes.
 * - Nothing is set aside: idle slots are lent to whoever has work, up to its maximum.
 * - Within a workload the order is that of arrival. A unit that is next but too heavy for what is free waits for it,
 *   and nothing lighter goes past.
 * - Nothing starves: each workload can run one unit at least, and one that has been passed over for too long, as all
 *   slots are within the minima of others, goes before them.
 * - Work is shed when it comes: if the queue is full, or if by the measured service times it could not start before
 *   its deadline. A workload of which nothing runs or waits may always let one unit wait, so that an estimate is
 *   measured anew and cannot keep it out for ever. What goes on with a job that has begun is not shed.
 *
 * A decision takes time in the number of workloads, however much waits. A task must not wait for another `run` of the
 * same manager: both would wait for slots.
 */
export class WorkManager {
  readonly slots: number;
  readonly #slots: number;
  readonly #now: () => number;
  readonly #after: (ms: number, callback: () => void) => () => void;
  readonly #lanes: Lane[];
  readonly #byName: Map<string, Lane>;
  /** Millionths of slots that are occupied. */
  #held = 0;
  #virtual = 0;
  #drained: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  /** Errors: ERR_ARGUMENT, if the settings do not fit each other. */
  constructor({ slots, workloads, now, after }: WorkManagerOptions) {
    checkWorkloads(slots, workloads);
    this.slots = slots;
    this.#slots = slots * SLOT;
    this.#now = now ?? (() => performance.now());
    this.#after = after ?? timer;
    this.#lanes = Object.entries(workloads).map(([name, settings]) => new Lane(name, settings, slots));
    this.#byName = new Map(this.#lanes.map((lane) => [lane.name, lane]));
  }

  /**
   * Runs `task` when it is its turn, at once if there is room, and settles as it does. The signal that the task gets
   * is the caller's; the slot stays occupied until the task has settled, also if it was aborted.
   *
   * Errors: ERR_ARGUMENT; ERR_OVERLOADED (an `OverloadError`) if it is shed on arrival; ERR_DEADLINE if its deadline
   * passes while it waits; ERR_CLOSED after `drain`; `signal.reason` if it is aborted.
   */
  async run<T>(
    workload: string,
    task: (signal: AbortSignal) => Promise<T>,
    options: RunOptions = {},
  ): Promise<T> {
    const lane = this.#lane(workload);
    const { cost = 1, begun = false, signal } = options;
    const { deadlineMs = begun ? undefined : lane.settings.deadlineMs } = options;
    if (typeof task !== 'function') {
      throw new SeineError('ERR_ARGUMENT', `task must be a function, got ${show(task)}.`);
    }
    if (!(Number.isFinite(cost) && cost > 0)) {
      throw new SeineError('ERR_ARGUMENT', `cost must be a positive number of slots, got ${show(cost)}.`);
    }
    if (deadlineMs !== undefined) checkDeadline('deadlineMs', deadlineMs);
    signal?.throwIfAborted();
    if (this.#drained !== undefined) {
      throw new SeineError('ERR_CLOSED', 'No new work is taken: the service is shutting down.');
    }
    return new Promise<T>((resolve, reject) => {
      this.#enter({
        lane,
        cost: Math.min(lane.most, Math.max(1, Math.round(cost * SLOT))),
        task,
        signal,
        arrived: this.#now(),
        deadlineMs: deadlineMs ?? Number.POSITIVE_INFINITY,
        begun,
        resolve: resolve as (value: unknown) => void,
        reject,
        waiting: true,
        unwatch: undefined,
        ahead: undefined,
        behind: undefined,
      });
    });
  }

  /** By workload: what runs and waits, counters and estimates. */
  state(): Record<string, WorkloadState> {
    return Object.fromEntries(
      this.#lanes.map((lane) => [lane.name, stateOf(lane, this.#lanes, this.#slots)]),
    );
  }

  /** From now on no new work is taken; resolves when all that runs and waits has settled. May be called again. */
  drain(): Promise<void> {
    this.#drained ??= new Promise((resolve) => {
      this.#onIdle = resolve;
    });
    this.#checkIdle();
    return this.#drained;
  }

  #lane(workload: string): Lane {
    const lane = this.#byName.get(workload);
    if (lane !== undefined) return lane;
    const names = this.#lanes.map(({ name }) => name).join(', ');
    throw new SeineError('ERR_ARGUMENT', `There is no workload ${show(workload)}; there are: ${names}.`);
  }

  #enter(unit: Unit): void {
    const { lane } = unit;
    lane.join(unit);
    this.#dispatch();
    if (unit.waiting && !unit.begun) {
      const refused = refusal(unit, this.#lanes, this.#slots);
      if (refused !== undefined) {
        lane.leave(unit);
        lane.tally.shed++;
        unit.reject(refused);
        return;
      }
    }
    lane.tally.admitted++;
    if (unit.waiting) this.#watch(unit);
  }

  #watch(unit: Unit): void {
    const { signal, deadlineMs } = unit;
    const cancel = (): void => {
      this.#withdraw(unit, 'cancelled', signal?.reason);
      this.#dispatch();
    };
    const expire = (): void => {
      this.#expire(unit);
      this.#dispatch();
    };
    const stop = deadlineMs === Number.POSITIVE_INFINITY ? undefined : this.#after(deadlineMs, expire);
    signal?.addEventListener('abort', cancel, { once: true });
    unit.unwatch = () => {
      stop?.();
      signal?.removeEventListener('abort', cancel);
    };
    if (signal?.aborted) cancel(); // by a task that was started just now
  }

  #expire(unit: Unit): void {
    const name = show(unit.lane.name);
    const reason = new SeineError(
      'ERR_DEADLINE',
      `The deadline of ${unit.deadlineMs} ms passed while this waited in the workload ${name}, and nothing was ` +
        'started: try again later or allow more time.',
    );
    this.#withdraw(unit, 'expired', reason);
  }

  #withdraw(unit: Unit, why: 'cancelled' | 'expired', reason: unknown): void {
    unit.lane.leave(unit);
    unit.lane.tally[why]++;
    unit.reject(reason);
  }

  /** Starts whatever can start. */
  #dispatch(): void {
    while (true) {
      this.#expireFirst();
      const { lane, virtual } = nextLane(this.#lanes, this.#virtual, this.#slots);
      const unit = lane?.line.first;
      if (unit === undefined || this.#held + unit.cost > this.#slots) return;
      this.#virtual = virtual;
      this.#start(unit);
    }
  }

  /** The timer of a deadline may come late where the process is busy. */
  #expireFirst(): void {
    const now = this.#now();
    for (const { line } of this.#lanes) {
      for (let unit = line.first; unit && now - unit.arrived >= unit.deadlineMs; unit = line.first) {
        this.#expire(unit);
      }
    }
  }

  #start(unit: Unit): void {
    const { lane, cost } = unit;
    for (const other of this.#lanes) {
      const head = other.line.first;
      if (head !== undefined && other.held + head.cost <= other.most) other.passed += cost;
    }
    lane.leave(unit);
    lane.passed = 0;
    lane.finish = Math.max(this.#virtual, lane.finish) + cost / SLOT / lane.settings.weight;
    lane.running++;
    lane.held += cost;
    this.#held += cost;
    void this.#work(unit);
  }

  async #work(unit: Unit): Promise<void> {
    const { lane, cost, signal } = unit;
    const began = this.#now();
    lane.waitedMs += began - unit.arrived;
    let value: unknown;
    let failure: { error: unknown } | undefined;
    try {
      value = await unit.task(signal ?? new AbortController().signal);
    } catch (error) {
      failure = { error };
    }
    const spent = this.#now() - began;
    lane.running--;
    lane.held -= cost;
    this.#held -= cost;
    lane.slotMs += (spent * cost) / SLOT;
    if (signal?.aborted) {
      lane.tally.cancelled++;
      unit.reject(signal.reason);
    } else {
      lane.measure(cost, spent);
      if (failure === undefined) {
        lane.tally.completed++;
        unit.resolve(value);
      } else {
        lane.tally.failed++;
        unit.reject(failure.error);
      }
    }
    this.#dispatch();
    this.#checkIdle();
  }

  /** What waits does so for something that runs. */
  #checkIdle(): void {
    if (this.#held === 0) this.#onIdle?.();
  }
}

/** A timer that does not keep the process alive. */
function timer(ms: number, callback: () => void): () => void {
  const timeout = setTimeout(callback, ms).unref();
  return () => clearTimeout(timeout);
}
