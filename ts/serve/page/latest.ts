/** Runs one task at a time: a new one aborts the one under way, whose outcome is then never told. */
export class Latest {
  #controller = new AbortController();

  start<T>(
    task: (signal: AbortSignal) => Promise<T>,
    done: (value: T) => void,
    failed: (error: unknown) => void,
  ): void {
    this.stop();
    const { signal } = this.#controller;
    task(signal).then(
      (value) => {
        if (!signal.aborted) done(value);
      },
      (error: unknown) => {
        if (!signal.aborted) failed(error);
      },
    );
  }

  stop(): void {
    this.#controller.abort();
    this.#controller = new AbortController();
  }
}
