/** Milliseconds that a slice of work is to take at most. */
const TARGET_MS = 20;
/** What part of a slice's time may go to what each slice costs however small it is. */
const FIXED_PART = 0.5;
/** What is kept of the weight of former slices when another one is measured. */
const MEMORY = 0.9;

/**
 * How much work makes a slice of about 20 ms. Milliseconds are modelled as `fixed + slope · units`, fitted by least
 * squares with weights that fade; where the fixed costs alone come near 20 ms (a slow disk), a slice takes as much
 * again for its units rather than shrink to nothing.
 */
export class SliceSizer {
  #units: number;
  #weight = 0;
  #x = 0;
  #y = 0;
  #xx = 0;
  #xy = 0;

  /** `units` of the first slice, before anything is known. */
  constructor(units: number) {
    this.#units = units;
  }

  /** Units that the next slice may have. */
  get units(): number {
    return this.#units;
  }

  /** Learns what a slice took. */
  observe(units: number, ms: number): void {
    this.#weight = this.#weight * MEMORY + 1;
    this.#x = this.#x * MEMORY + units;
    this.#y = this.#y * MEMORY + ms;
    this.#xx = this.#xx * MEMORY + units * units;
    this.#xy = this.#xy * MEMORY + units * ms;
    const variance = this.#xx - this.#x ** 2 / this.#weight;
    const covariance = this.#xy - (this.#x * this.#y) / this.#weight;
    // A straight line holds only near its points: no jump beyond twice what was measured.
    const most = Math.max(2 * units, this.#units);
    if (!(variance > 1e-3 * this.#xx && covariance > 0)) {
      // Slices of nearly one size do not tell what is fixed: a larger one will.
      this.#units = Math.min(units * 1.5, most);
      return;
    }
    const slope = covariance / variance;
    const fixed = Math.max(0, (this.#y - slope * this.#x) / this.#weight);
    const room = Math.max(TARGET_MS - fixed, FIXED_PART * TARGET_MS);
    this.#units = Math.min(Math.max(1, room / slope), most);
  }
}
