import { ApiError, keepKey } from './api.ts';
import { button, html } from './dom.ts';

const [FIRST_MS, LONGEST_MS] = [1000, 30_000];

/** Says what went wrong and sees to it that what can be tried again is: with growing pauses, or when the server says. */
export class Notice {
  readonly #element: HTMLElement;
  #failures = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(element: HTMLElement) {
    this.#element = element;
  }

  /** An answer has come: nothing is wrong any more. */
  clear(): void {
    this.#failures = 0;
    this.#empty();
  }

  show(error: unknown, retry: () => void): void {
    this.#empty();
    const message = html('p', {}, error instanceof Error ? error.message : String(error));
    this.#element.append(message);
    if (!(error instanceof ApiError) || error.trouble === 'refused') return;
    if (error.trouble === 'unauthorized') {
      this.#element.append(keyForm(retry));
      return;
    }
    const pause = error.retryAfterMs ?? Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#failures);
    this.#failures++;
    this.#element.append(this.#countdown(pause, retry));
  }

  #countdown(pause: number, retry: () => void): HTMLElement {
    const due = performance.now() + pause;
    // The figure changes each second: read out once, it is silent from then on.
    const clock = html('span', { 'aria-live': 'off' });
    const tick = (): void => {
      const left = Math.ceil((due - performance.now()) / 1000);
      clock.textContent = `Trying again in ${Math.max(0, left)} s.`;
      if (left > 0) return;
      clearInterval(this.#timer);
      retry();
    };
    tick();
    this.#timer = setInterval(tick, 250);
    return html('div', { class: 'actions' }, clock, button('Try now', retry));
  }

  #empty(): void {
    clearInterval(this.#timer);
    this.#element.replaceChildren();
  }
}

function keyForm(retry: () => void): HTMLFormElement {
  const input = html('input', {
    type: 'password',
    autocomplete: 'off',
    'aria-label': 'API key',
    required: true,
  });
  const form = html('form', {}, input, html('button', { type: 'submit' }, 'Use this key'));
  const note = html(
    'p',
    { class: 'quiet' },
    'It is kept until this tab is closed, and sent to this server only.',
  );
  form.append(note);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    keepKey(input.value.trim());
    retry();
  });
  queueMicrotask(() => input.focus());
  return form;
}
