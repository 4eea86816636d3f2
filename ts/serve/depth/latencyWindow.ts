/** The latencies of the last `spanMs`, at most `capacity` of them: the oldest go first. */
export class LatencyWindow {
  readonly #spanMs: number;
  readonly #times: Float64Array;
  readonly #values: Float64Array;
  /** Where the oldest one stands. */
  #first = 0;
  #count = 0;

  constructor(spanMs: number, capacity: number) {
    this.#spanMs = spanMs;
    this.#times = new Float64Array(capacity);
    this.#values = new Float64Array(capacity);
  }

  /** `now` in milliseconds, never less than before. */
  add(latencyMs: number, now: number): void {
    if (this.#count === this.#times.length) this.#dropOldest();
    const at = (this.#first + this.#count) % this.#times.length;
    this.#times[at] = now;
    this.#values[at] = latencyMs;
    this.#count++;
  }

  /** Leaves out what came more than the span before `now`, but keeps the newest `keep`. */
  expire(now: number, keep: number): void {
    while (this.#count > keep && this.#times[this.#first]! < now - this.#spanMs) this.#dropOldest();
  }

  clear(): void {
    this.#count = 0;
  }

  /** The newest `limit`, shortest first. */
  sorted(limit = this.#count): Float64Array {
    const taken = Math.min(limit, this.#count);
    const values = new Float64Array(taken);
    const from = this.#first + this.#count - taken;
    for (let i = 0; i < taken; i++) values[i] = this.#values[(from + i) % this.#values.length]!;
    return values.sort();
  }

  #dropOldest(): void {
    this.#first = (this.#first + 1) % this.#times.length;
    this.#count--;
  }
}
