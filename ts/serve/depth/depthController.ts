import { SeineError, show } from '../../core/errors.ts';
import { LatencyWindow } from './latencyWindow.ts';
import { Pid } from './pid.ts';

export interface DepthSettings {
  /** Documents that the ranker reads at least, 0 or more. */
  least: number;
  /** Documents that the ranker reads at most. */
  greatest: number;
  /** What the P99 of latency is to stay within, in milliseconds. */
  targetMs: number;
  /** The depth to begin with, `greatest` by default. */
  start?: number | undefined;
  /** Milliseconds that never fall; `performance.now` by default. */
  now?: (() => number) | undefined;
}

export interface DepthState {
  depth: number;
  /** Whether the depth is at a limit and the controller would go beyond it. */
  saturated: 'least' | 'greatest' | undefined;
  targetMs: number;
  /** What the controller steers to: the target less a reserve. */
  aimMs: number;
  /** P99 of the window; `undefined` before the first step. */
  p99Ms: number | undefined;
  /** Upper quantile of the newest requests; `undefined` before the first step. */
  recentMs: number | undefined;
  /** ln(aim / recent), bounded: below 0 requests are too slow. */
  error: number;
  /** Terms of ln(work / work at the greatest depth): their sum is what the controller wants. −0.69 halves the work. */
  proportional: number;
  integral: number;
  derivative: number;
}

/** Aimed at, as a share of the target: a P99 that is steered to a value lies above it about half of the time. */
const AIM = 0.65;
/** Of logarithms: an overload counts at once and fully, time to spare only a little, so that depth returns slowly. */
const LOWEST_ERROR = -1.5;
const HIGHEST_ERROR = 0.07;
/** In units of the target, which makes the loop as fast as the requests are. */
const GAINS = { proportional: 0.5, integralTime: 8, derivativeTime: 0.25, trackingTime: 2 };
const WINDOW_TARGETS = 20;
const SAMPLE_TARGETS = 0.5;
const LEAST_WINDOW_MS = 2000;
const LEAST_SAMPLE_MS = 100;
const WINDOW_CAPACITY = 1024;
/** The proportional and the derivative term look at so many newest requests. */
const RECENT = 16;
/** With fewer requests depth never falls. */
const FEWEST = 4;
/** Work that does not depend on depth, as a share of the work at the greatest depth: roughly what retrieval costs. */
const FIXED_WORK = 0.1;

/**
 * Moves the ranking depth between two limits so that the P99 of latency stays within a target: deeper is better and
 * slower. A PID controller (see `Pid`) on logarithms: its error is ln(aim / latency), its output the logarithm of the
 * work of a request, so a step changes the work by the same share at every depth (an equal-percentage actuator), and
 * neither milliseconds per document nor the number of servers matters for stability. All times are in units of the
 * target. The integral term follows the P99 of a window of 20 targets, which is what has to be right in the end; the
 * proportional and derivative terms follow the newest 16 requests, since a P99 answers late; for the same reason the
 * integral term does not fall on while these are within the aim.
 *
 * The signal is the whole latency, not the delay in a queue: requests also wait inside the ranker, where nobody sees
 * them queue, and a depth that is too great without any queue must fall as well. One request alone, however slow,
 * never moves the depth. Without requests it stays; after a pause longer than the window, a first request that is
 * quick again says that the load is gone: what was measured before is forgotten, and the pause counts as time to
 * spare.
 */
export class DepthController {
  readonly #least: number;
  readonly #greatest: number;
  readonly #targetMs: number;
  readonly #now: () => number;
  readonly #window: LatencyWindow;
  readonly #pid: Pid;
  /** Added to depths before logarithms are taken. */
  readonly #offset: number;
  #lastStep: number | undefined;
  #lastRequest: number | undefined;
  #p99Ms: number | undefined;
  #recentMs: number | undefined;
  #error = 0;

  constructor(settings: DepthSettings) {
    const { least, greatest, targetMs, start = greatest, now = () => performance.now() } = settings;
    expectDepth('least', least, 0, 2 ** 31);
    expectDepth('greatest', greatest, least, 2 ** 31);
    expectDepth('start', start, least, greatest);
    if (!(Number.isFinite(targetMs) && targetMs > 0)) {
      throw new SeineError('ERR_ARGUMENT', `targetMs must be a number above 0, got ${show(targetMs)}.`);
    }
    this.#least = least;
    this.#greatest = greatest;
    this.#targetMs = targetMs;
    this.#now = now;
    this.#offset = Math.max(1, FIXED_WORK * greatest);
    this.#window = new LatencyWindow(this.#windowMs, WINDOW_CAPACITY);
    this.#pid = new Pid(GAINS, this.#work(least), this.#work(greatest), this.#work(start));
  }

  /** How many documents the ranker is to read for a request that is ranked now: a whole number within the limits. */
  get depth(): number {
    const depth = Math.round(Math.exp(this.#pid.output) * (this.#greatest + this.#offset) - this.#offset);
    return Math.min(this.#greatest, Math.max(this.#least, depth));
  }

  /** Takes note of an answered request: milliseconds from its arrival to its answer. ERR_ARGUMENT if below 0. */
  observe(latencyMs: number): void {
    if (!(Number.isFinite(latencyMs) && latencyMs >= 0)) {
      throw new SeineError(
        'ERR_ARGUMENT',
        `latencyMs must be a number of 0 or more, got ${show(latencyMs)}.`,
      );
    }
    const now = this.#now();
    const pause = now - (this.#lastRequest ?? now);
    this.#lastRequest = now;
    if (pause > this.#windowMs && latencyMs <= AIM * this.#targetMs) {
      this.#window.clear();
      this.#pid.restart();
    }
    this.#window.add(latencyMs, now);
    this.#lastStep ??= now;
    if (now - this.#lastStep >= this.#sampleMs) this.#step(now);
  }

  state(): DepthState {
    const { depth } = this;
    const { proportional, integral, derivative } = this.#pid.terms;
    const { saturated } = this.#pid;
    return {
      depth,
      saturated: saturated && (saturated === 'low' ? 'least' : 'greatest'),
      targetMs: this.#targetMs,
      aimMs: AIM * this.#targetMs,
      p99Ms: this.#p99Ms,
      recentMs: this.#recentMs,
      error: this.#error,
      proportional,
      integral,
      derivative,
    };
  }

  #step(now: number): void {
    this.#window.expire(now, FEWEST);
    const latencies = this.#window.sorted();
    this.#p99Ms = upperQuantile(latencies, 0.99);
    this.#recentMs = upperQuantile(this.#window.sorted(RECENT), 0.9);
    this.#error = this.#errorOf(this.#recentMs);
    const inWindow = this.#errorOf(this.#p99Ms);
    // Once the newest are quick enough, a P99 that is not speaks of what is over.
    const lasting = this.#error > 0 && inWindow < 0 ? 0 : inWindow;
    if (latencies.length < FEWEST && Math.min(this.#error, lasting) < 0) return;
    const elapsed = now - this.#lastStep!;
    // One slow measurement after a pause says nothing about the pause.
    const counted = lasting > 0 ? elapsed : Math.min(elapsed, 2 * this.#sampleMs);
    this.#pid.step(this.#error, lasting, counted / this.#targetMs);
    this.#lastStep = now;
  }

  #errorOf(latencyMs: number): number {
    const error = Math.log((AIM * this.#targetMs) / Math.max(latencyMs, Number.MIN_VALUE));
    return Math.min(HIGHEST_ERROR, Math.max(LOWEST_ERROR, error));
  }

  #work(depth: number): number {
    return Math.log((depth + this.#offset) / (this.#greatest + this.#offset));
  }

  get #windowMs(): number {
    return Math.max(LEAST_WINDOW_MS, WINDOW_TARGETS * this.#targetMs);
  }

  get #sampleMs(): number {
    return Math.max(LEAST_SAMPLE_MS, SAMPLE_TARGETS * this.#targetMs);
  }
}

/** By nearest rank, but never the largest of several, which one request alone would set. */
function upperQuantile(sorted: Float64Array, q: number): number {
  const place = Math.min(Math.ceil(q * sorted.length) - 1, sorted.length - 2);
  return sorted[Math.max(0, place)]!;
}

function expectDepth(name: string, value: unknown, low: number, high: number): void {
  if (!Number.isInteger(value) || (value as number) < low || (value as number) > high) {
    throw new SeineError(
      'ERR_ARGUMENT',
      `${name} must be a whole number from ${low} to ${high}, got ${show(value)}.`,
    );
  }
}
