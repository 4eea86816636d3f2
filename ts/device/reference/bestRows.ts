/**
 * The `k` best of the rows offered: a binary heap with the worst of them on top. A better score comes first,
 * then the lower id; this order is total, so the result does not depend on the order of the offers.
 */
export class BestRows {
  readonly #k: number;
  /** Scores negated for similarities: lower is better. */
  readonly #costs: Float32Array;
  readonly #ids: Uint32Array;
  readonly #sign: number;
  #size = 0;

  constructor(k: number, lowest: boolean) {
    this.#k = k;
    this.#costs = new Float32Array(k);
    this.#ids = new Uint32Array(k);
    this.#sign = lowest ? 1 : -1;
  }

  get size(): number {
    return this.#size;
  }

  offer(id: number, score: number): void {
    const cost = score * this.#sign;
    if (this.#size < this.#k) {
      this.#siftUp(this.#size++, cost, id);
    } else if (this.#isWorse(this.#costs[0]!, this.#ids[0]!, cost, id)) {
      this.#siftDown(cost, id);
    }
  }

  /** Takes the worst one off: emptied this way, the rows come out in reverse order. */
  takeWorst(): { id: number; score: number } {
    const worst = { id: this.#ids[0]!, score: this.#costs[0]! * this.#sign + 0 };
    this.#size--;
    this.#siftDown(this.#costs[this.#size]!, this.#ids[this.#size]!);
    return worst;
  }

  #isWorse(costA: number, idA: number, costB: number, idB: number): boolean {
    return costA > costB || (costA === costB && idA > idB);
  }

  #siftUp(from: number, cost: number, id: number): void {
    let slot = from;
    while (slot > 0) {
      const parent = (slot - 1) >>> 1;
      if (!this.#isWorse(cost, id, this.#costs[parent]!, this.#ids[parent]!)) break;
      this.#move(parent, slot);
      slot = parent;
    }
    this.#put(slot, cost, id);
  }

  /** Puts an entry in the place of the top one and lets it sink. */
  #siftDown(cost: number, id: number): void {
    let slot = 0;
    for (;;) {
      let child = 2 * slot + 1;
      if (child >= this.#size) break;
      const next = child + 1;
      if (
        next < this.#size &&
        this.#isWorse(this.#costs[next]!, this.#ids[next]!, this.#costs[child]!, this.#ids[child]!)
      ) {
        child = next;
      }
      if (!this.#isWorse(this.#costs[child]!, this.#ids[child]!, cost, id)) break;
      this.#move(child, slot);
      slot = child;
    }
    this.#put(slot, cost, id);
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#costs[from]!, this.#ids[from]!);
  }

  #put(slot: number, cost: number, id: number): void {
    this.#costs[slot] = cost;
    this.#ids[slot] = id;
  }
}
