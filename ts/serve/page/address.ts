import { fragmentOf, readView, type View } from './view.ts';

/** Typing rests for so long before it counts as a query that the back button returns to. */
const SETTLED_MS = 1500;

/** The view as the browser's address and history. */
export class Address {
  #lastTyped = Number.NEGATIVE_INFINITY;

  constructor(back: (view: View) => void) {
    addEventListener('popstate', () => {
      this.#lastTyped = Number.NEGATIVE_INFINITY;
      back(this.read());
    });
  }

  read(): View {
    return readView(location.hash);
  }

  /** Writes a view: one entry in the history for all that is typed without a rest. */
  write(view: View, typing: boolean): void {
    const fragment = fragmentOf(view);
    const now = performance.now();
    const goesOn = typing && now - this.#lastTyped < SETTLED_MS;
    this.#lastTyped = typing ? now : Number.NEGATIVE_INFINITY;
    if (fragment === fragmentOf(this.read())) return;
    const address = fragment || location.pathname;
    try {
      if (goesOn) history.replaceState(null, '', address);
      else history.pushState(null, '', address);
    } catch {
      // Safari refuses more than 100 changes in half a minute; the next one brings the address up to date.
    }
  }
}
