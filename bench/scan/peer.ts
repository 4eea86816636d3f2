import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** How long a search took, and how much time of all processors. */
export interface Sample {
  ms: number;
  cpuMs: number;
}

/** FAISS and numpy in a Python process, by bench/peers/faiss.py; `SEINE_BENCH_PYTHON` names the interpreter. */
export class Peer {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly versions: Record<string, string>;

  private constructor(process: ChildProcess, lines: AsyncIterator<string>, versions: Record<string, string>) {
    this.#process = process;
    this.#lines = lines;
    this.versions = versions;
  }

  /** Undefined where there is no Python, or neither FAISS nor numpy in it. */
  static async start(): Promise<Peer | undefined> {
    const python = process.env.SEINE_BENCH_PYTHON ?? 'python3';
    const child = spawn(python, ['bench/peers/faiss.py'], { stdio: ['pipe', 'pipe', 'ignore'] });
    const failed = new Promise<false>((resolve) => child.once('error', () => resolve(false)));
    if ((await Promise.race([failed, new Promise((resolve) => child.once('spawn', resolve))])) === false) {
      return undefined;
    }
    child.stdin!.on('error', () => {}); // a peer that ended is noticed where its answer is missing
    const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    const versions = (await ask(child, lines, { op: 'versions' })) as Record<string, string>;
    if (versions.numpy === undefined) {
      child.kill();
      return undefined;
    }
    return new Peer(child, lines, versions);
  }

  async load(path: string, rows: number, dim: number, metric: string): Promise<void> {
    await ask(this.#process, this.#lines, { op: 'load', path, rows, dim, metric });
  }

  async search(engine: string, path: string, q: number, k: number): Promise<Sample & { ids: number[] }> {
    const answer = await ask(this.#process, this.#lines, { op: 'search', engine, path, q, k });
    return answer as Sample & { ids: number[] };
  }

  stop(): void {
    this.#process.kill();
  }
}

async function ask(child: ChildProcess, lines: AsyncIterator<string>, request: object): Promise<object> {
  child.stdin!.write(`${JSON.stringify(request)}\n`);
  const { value, done } = await lines.next();
  if (done)
    throw new Error(`The Python process ended on ${JSON.stringify(request)}: run it by hand to see why.`);
  return JSON.parse(value);
}
