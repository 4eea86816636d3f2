import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const probe = new URL('probe.mjs', import.meta.url).href;

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

const running = new Set();

/** `seine serve` in a process of its own. */
export class ServerProcess {
  #child;
  #folder;
  output = '';

  /** Starts it and waits until it is ready. `settings` are those of a configuration file; `node` are flags of Node. */
  static async start(settings, node = []) {
    const server = new ServerProcess();
    await server.#start(settings, node);
    return server;
  }

  /** Ends those that a failed test has left. */
  static async killAll() {
    await Promise.all([...running].map((server) => server.stop('SIGKILL')));
  }

  async #start(settings, node) {
    const port = settings.port || (await freePort());
    this.url = `http://127.0.0.1:${port}`;
    this.#folder = mkdtempSync(join(tmpdir(), 'seine-process-'));
    const config = join(this.#folder, 'config.json');
    writeFileSync(config, JSON.stringify({ device: 'cpu', logLevel: 'error', ...settings, port }));
    this.#child = spawn(
      process.execPath,
      ['--expose-gc', '--import', probe, ...node, 'dist/cli/main.js', 'serve', '--config', config],
      { cwd: root, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
    );
    running.add(this);
    this.exited = once(this.#child, 'exit').then(([code, signal]) => {
      running.delete(this);
      rmSync(this.#folder, { recursive: true, force: true });
      return { code, signal };
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on('data', (chunk) => {
        this.output = (this.output + chunk).slice(-20_000);
      });
    }
    while (!(await this.#ready())) {
      if (!this.running) throw new Error(`the server ended before it was ready: ${this.output}`);
      await sleep(15);
    }
  }

  async #ready() {
    try {
      const response = await fetch(`${this.url}/readyz`);
      await response.arrayBuffer();
      return response.status === 200;
    } catch {
      return false;
    }
  }

  get running() {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Bytes held after a collection. */
  memory() {
    return this.#ask('memory');
  }

  /** Delay of the event loop since this was last asked, in milliseconds. */
  loop() {
    return this.#ask('loop');
  }

  /** Ends the worker thread of the ranker, as a fault of the machine would. */
  terminateRanker() {
    return this.#ask('terminateRanker');
  }

  async #ask(question) {
    const answered = new Promise((resolve, reject) => {
      const hear = (message) => {
        if (message.question !== question) return;
        this.#child.off('message', hear);
        resolve(message);
      };
      this.#child.on('message', hear);
      void this.exited.then(() => reject(new Error(`the server ended: ${this.output}`)));
    });
    this.#child.send(question);
    return answered;
  }

  /** Sends a signal and waits for the end: its exit code, or the signal that ended it. */
  async stop(signal = 'SIGTERM') {
    this.#child.kill(signal);
    return this.exited;
  }

  signal(signal) {
    this.#child.kill(signal);
  }
}
