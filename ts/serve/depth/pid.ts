/** Times in one unit of the caller's choice, which `step` uses as well. */
export interface Gains {
  proportional: number;
  integralTime: number;
  derivativeTime: number;
  /** How fast the integral term gives way while the output is at a limit. */
  trackingTime: number;
}

/** The derivative is that of the measurement behind a low-pass of `derivativeTime / DERIVATIVE_FILTER`. */
const DERIVATIVE_FILTER = 4;

/**
 * A PID controller in positional form, whose terms can be read one by one:
 *
 *     output = K · e + (K / Ti) ∫ e dt − K · Td · dy/dt,  held between `low` and `high`
 *
 * with anti-windup by back-calculation: what the limits cut off is fed back into the integral term at the rate of the
 * tracking time, so that the output leaves a limit as soon as the error turns. The derivative is of the filtered
 * measurement, not of the error. The first step after the start, or after `restart`, sets the integral term so that
 * the output goes on from where it is (bumpless transfer). All three as in Åström & Murray, Feedback Systems, 2nd ed.,
 * chapter 11 (sections 11.4, integral windup, and 11.5, implementation).
 */
export class Pid {
  readonly #gains: Gains;
  readonly #low: number;
  readonly #high: number;
  #output: number;
  #saturated: 'low' | 'high' | undefined;
  #running = false;
  #lastError = 0;
  #proportional = 0;
  #integral: number;
  #derivative = 0;

  constructor(gains: Gains, low: number, high: number, start: number) {
    this.#gains = gains;
    this.#low = low;
    this.#high = high;
    this.#output = start;
    this.#integral = start;
  }

  get output(): number {
    return this.#output;
  }

  /** The limit beyond which the controller would have gone at the last step. */
  get saturated(): 'low' | 'high' | undefined {
    return this.#saturated;
  }

  get terms(): { proportional: number; integral: number; derivative: number } {
    return { proportional: this.#proportional, integral: this.#integral, derivative: this.#derivative };
  }

  /** Forgets the former measurements: the next step begins from the present output. */
  restart(): void {
    this.#running = false;
  }

  /**
   * One step, `elapsed` (above 0) after the one before. `error` is set point minus measurement; `lasting` is the error that the
   * integral term takes up, where a slower measurement is the one that has to come to the set point.
   */
  step(error: number, lasting: number, elapsed: number): void {
    const { proportional, integralTime, derivativeTime, trackingTime } = this.#gains;
    this.#proportional = proportional * error;
    if (!this.#running) {
      this.#running = true;
      this.#lastError = error;
      this.#derivative = 0;
      this.#integral = this.#output - this.#proportional;
    }
    const filter = derivativeTime / DERIVATIVE_FILTER;
    this.#derivative =
      (filter * this.#derivative + proportional * derivativeTime * (error - this.#lastError)) /
      (filter + elapsed);
    this.#lastError = error;
    this.#integral += (proportional * lasting * elapsed) / integralTime;
    const wanted = this.#proportional + this.#integral + this.#derivative;
    this.#output = Math.min(this.#high, Math.max(this.#low, wanted));
    this.#saturated = wanted < this.#low ? 'low' : wanted > this.#high ? 'high' : undefined;
    this.#integral += (this.#output - wanted) * Math.min(1, elapsed / trackingTime);
  }
}
