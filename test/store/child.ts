import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('./storeChild.mjs', import.meta.url));

/** Another process at work on an index, and what it has said. */
export class Child {
  readonly said: Record<string, unknown>[] = [];
  readonly exited: Promise<unknown>;
  readonly #process: ChildProcessWithoutNullStreams;
  #errors = '';
  readonly #waiting = new Set<() => void>();

  constructor(path: string, mode: string, settings: object = {}) {
    this.#process = spawn(process.execPath, [script, path, mode, JSON.stringify(settings)]);
    this.exited = once(this.#process, 'close');
    this.#process.stderr.on('data', (chunk) => {
      this.#errors += chunk;
    });
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      // The last line of a process that was killed may be cut.
      if (line.endsWith('}')) this.said.push(JSON.parse(line));
      for (const wake of this.#waiting) wake();
    });
    void this.exited.then(() => {
      for (const wake of this.#waiting) wake();
    });
  }

  /** Waits until the process has said something with `key`; throws with its errors if it ends before. */
  async heard(key: string): Promise<Record<string, unknown>> {
    while (true) {
      const message = this.said.find((one) => key in one);
      if (message !== undefined) return message;
      if (this.#process.exitCode !== null || this.#process.signalCode !== null) {
        await this.exited;
        const late = this.said.find((one) => key in one);
        if (late !== undefined) return late;
        throw new Error(`the process ended before it said "${key}": ${this.#errors}`);
      }
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  get errors(): string {
    return this.#errors;
  }

  get exitCode(): number | null {
    return this.#process.exitCode;
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.exited;
  }

  async stop(): Promise<void> {
    this.#process.stdin.end('stop\n');
    await this.exited;
  }
}
