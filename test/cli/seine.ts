import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tinyEncoder, tinyRanker, writeModel } from '../models/tinyModel.ts';

export const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** A folder for commands to work in, with tiny models in the place of the default ones. */
export class Workplace {
  readonly folder = mkdtempSync(join(tmpdir(), 'seine-cli-'));
  readonly models = join(this.folder, 'models');
  readonly env: NodeJS.ProcessEnv = {
    ...process.env,
    SEINE_MODELS: [this.models, process.env.SEINE_MODELS ?? ''].join(delimiter),
    SEINE_OFFLINE: '1',
    SEINE_DEBUG: '',
    NO_COLOR: '1',
  };

  constructor() {
    writeModel(join(this.models, 'seine-embed-small'), tinyEncoder());
    writeModel(join(this.models, 'seine-rank-small'), tinyRanker());
    writeModel(join(this.models, 'other-embedder'), tinyEncoder(8));
  }

  file(name: string, content: string | Uint8Array): string {
    writeFileSync(join(this.folder, name), content);
    return name;
  }

  /** Runs `seine` to its end. */
  seine(args: string[], options: { input?: string; env?: NodeJS.ProcessEnv } = {}): Ended {
    const { input, env } = options;
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
      cwd: this.folder,
      encoding: 'utf8',
      env: { ...this.env, ...env },
      maxBuffer: 2 ** 28,
      ...(input !== undefined && { input }),
    });
    return { status, stdout, stderr };
  }

  start(args: string[]): ChildProcessWithoutNullStreams {
    return spawn(process.execPath, [main, ...args], { cwd: this.folder, env: this.env });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export const jsonLines = (records: object[]): string =>
  records.map((record) => `${JSON.stringify(record)}\n`).join('');
