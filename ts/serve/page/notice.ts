import { ApiError, keepKey } from './api.ts';
import { button, html, keepFocus } from './dom.ts';

const [FIRST_MS, LONGEST_MS] = [1000, 30_000];

/** Says what went wrong and sees to it that what can be tried again is: with growing pauses, or when the server says. */
export class Notice {
  readonly #element: HTMLElement;
  readonly #home: HTMLElement;
  readonly #message = html('p');
  // The figure changes each second: read out once, it is silent from then on.
  readonly #clock = html('span', { 'aria-live': 'off' });
  readonly #tryNow = button('Try now', () => this.#retry());
  #form: HTMLFormElement | undefined;
  #retry = (): void => {};
  #failures = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** `home` gets the focus that was in a notice which is no longer needed. */
  constructor(element: HTMLElement, home: HTMLElement) {
    this.#element = element;
    this.#home = home;
  }

  /** An answer has come: nothing is wrong any more. */
  clear(): void {
    this.#failures = 0;
    this.#fill();
  }

  /** Something is asked: until it is answered, nothing is tried again by itself. */
  asking(): void {
    clearInterval(this.#timer);
    this.#clock.textContent = 'Asking…';
  }

  show(error: unknown, retry: () => void): void {
    this.#retry = retry;
    const message = error instanceof Error ? error.message : String(error);
    if (this.#message.textContent !== message) this.#message.textContent = message;
    const trouble = error instanceof ApiError ? error.trouble : 'refused';
    if (trouble === 'refused') this.#fill(this.#message);
    else if (trouble === 'unauthorized') this.#askForKey();
    else this.#countDown((error as ApiError).retryAfterMs);
  }

  /** A form that is there stays, with what is written in it; the focus moves to it only from nowhere. */
  #askForKey(): void {
    if (this.#form !== undefined && this.#element.contains(this.#form)) return;
    const lost = document.activeElement === document.body || document.activeElement === this.#home;
    this.#form = keyForm(() => this.#retry());
    this.#fill(this.#message, this.#form);
    if (lost) this.#form.querySelector('input')?.focus();
  }

  #countDown(asked: number | undefined): void {
    const pause = asked ?? Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#failures);
    this.#failures++;
    const due = performance.now() + pause;
    const tick = (): void => {
      const left = Math.ceil((due - performance.now()) / 1000);
      this.#clock.textContent = `Trying again in ${Math.max(0, left)} s.`;
      if (left <= 0) this.#retry();
    };
    if (!this.#element.contains(this.#tryNow))
      this.#fill(this.#message, html('div', { class: 'actions' }, this.#clock, this.#tryNow));
    clearInterval(this.#timer);
    this.#timer = setInterval(tick, 250);
    tick();
  }

  #fill(...children: HTMLElement[]): void {
    clearInterval(this.#timer);
    keepFocus(
      () => this.#element.replaceChildren(...children),
      () => this.#element.querySelector<HTMLElement>('input, button') ?? this.#home,
    );
  }
}

function keyForm(retry: () => void): HTMLFormElement {
  const input = html('input', {
    id: 'key',
    type: 'password',
    autocomplete: 'off',
    required: true,
    pattern: '\\s*[!-~]+\\s*',
    title: 'Letters, digits and signs of ASCII, as a header can carry them',
  });
  const form = html(
    'form',
    {},
    html('label', { for: 'key' }, 'API key'),
    input,
    html('button', { type: 'submit' }, 'Use this key'),
    html('p', { class: 'quiet' }, 'It is kept until this tab is closed, and sent to this server only.'),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    keepKey(input.value.trim());
    retry();
  });
  return form;
}
