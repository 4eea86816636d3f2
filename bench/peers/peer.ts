import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Metric } from '../../ts/core/types.ts';
import type { Sample } from '../measure/sample.ts';

/** What an engine of a peer can be asked. */
export interface Engine {
  metrics: Metric[];
  /** The sizes of batches for which it is meant. */
  batches: number[];
  /** Whether it can search some of the rows. */
  filters?: boolean;
}

interface Greeting {
  versions: Record<string, string>;
  threads: number;
  engines: Record<string, Engine>;
}

/**
 * Other libraries in a process of their own, which answers lines of JSON with lines of JSON: `greet`, `load` and
 * `search`. Files hold little-endian float32 `[rows, dim]`, `[q, dim]` and little-endian uint32 ids.
 */
export class Peer implements Greeting {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly versions: Record<string, string>;
  readonly threads: number;
  readonly engines: Record<string, Engine>;

  private constructor(process: ChildProcess, lines: AsyncIterator<string>, greeting: Greeting) {
    this.#process = process;
    this.#lines = lines;
    this.versions = greeting.versions;
    this.threads = greeting.threads;
    this.engines = greeting.engines;
  }

  /** Undefined where the program is not there, or none of the libraries that it asks. */
  static async start(command: string, args: string[]): Promise<Peer | undefined> {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] });
    const failed = new Promise<false>((resolve) => child.once('error', () => resolve(false)));
    const spawned = new Promise((resolve) => child.once('spawn', resolve));
    if ((await Promise.race([failed, spawned])) === false) return undefined;
    child.stdin!.on('error', () => {}); // a peer that ended is noticed where its answer is missing
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    const greeting = (await ask(child, lines, { op: 'greet' })) as Greeting | undefined;
    if (greeting !== undefined && Object.keys(greeting.engines).length > 0) {
      return new Peer(child, lines, greeting);
    }
    child.kill();
    return undefined;
  }

  async load(path: string, rows: number, dim: number, metric: string): Promise<void> {
    await this.ask({ op: 'load', path, rows, dim, metric });
  }

  /** The k best of each query, of all rows or those that the file `among` lists. */
  async search(
    engine: string,
    path: string,
    q: number,
    k: number,
    among?: string,
  ): Promise<Sample & { ids: number[] }> {
    return (await this.ask({ op: 'search', engine, path, q, k, among })) as Sample & { ids: number[] };
  }

  stop(): void {
    this.#process.kill();
  }

  /** Anything else that a peer knows. */
  async ask(request: object): Promise<object> {
    const answer = await ask(this.#process, this.#lines, request);
    if (answer !== undefined) return answer;
    throw new Error(`A peer's process ended on ${JSON.stringify(request)}: run it by hand to see why.`);
  }
}

/** Undefined where the process has ended. */
async function ask(
  child: ChildProcess,
  lines: AsyncIterator<string>,
  request: object,
): Promise<object | undefined> {
  child.stdin!.write(`${JSON.stringify(request)}\n`);
  const { value, done } = await lines.next();
  return done ? undefined : (JSON.parse(value) as object);
}
