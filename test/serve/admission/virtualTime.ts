import { setImmediate } from 'node:timers/promises';

interface Event {
  at: number;
  order: number;
  act: (() => void) | undefined;
}

/** A clock that stands still until the next event: a binary heap of what is to happen, in order of time. */
export class VirtualTime {
  #now = 0;
  #order = 0;
  readonly #events: Event[] = [];

  readonly now = (): number => this.#now;

  /** As the manager's timers. */
  readonly after = (ms: number, act: () => void): (() => void) => {
    const event: Event = { at: this.#now + ms, order: this.#order++, act };
    this.#push(event);
    return () => {
      event.act = undefined;
    };
  };

  readonly sleep = (ms: number): Promise<void> => new Promise((resolve) => void this.after(ms, resolve));

  /** Lets everything up to `until` happen, and all promises that follow from each event settle before the next. */
  async run(until = Number.POSITIVE_INFINITY): Promise<void> {
    await setImmediate();
    while (this.#events.length > 0 && this.#events[0]!.at <= until) {
      const event = this.#pop();
      if (event.act === undefined) continue;
      this.#now = event.at;
      event.act();
      await setImmediate();
    }
    if (until !== Number.POSITIVE_INFINITY) this.#now = until;
  }

  #push(event: Event): void {
    const events = this.#events;
    let place = events.push(event) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!earlier(event, events[parent]!)) break;
      events[place] = events[parent]!;
      place = parent;
    }
    events[place] = event;
  }

  #pop(): Event {
    const events = this.#events;
    const first = events[0]!;
    const last = events.pop()!;
    if (events.length === 0) return first;
    let place = 0;
    while (true) {
      let child = 2 * place + 1;
      if (child >= events.length) break;
      if (child + 1 < events.length && earlier(events[child + 1]!, events[child]!)) child++;
      if (!earlier(events[child]!, last)) break;
      events[place] = events[child]!;
      place = child;
    }
    events[place] = last;
    return first;
  }
}

function earlier(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
