import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { threadBudget } from '../../ts/core/threads.ts';
import { native } from '../../ts/device/native.ts';
import type { Flags } from './flags.ts';

/** Where and by what a result was found. */
export interface Origin {
  command: string;
  commit: string;
  machine: string;
  versions: Record<string, string>;
  threads: number;
  /** Of other work on the machine, over the minute before. */
  loadBefore: number;
}

/** The origin of a result of benchmark `name` that is being made now, by the arguments of this process. */
export function origin(name: string, versions: Record<string, string> = {}): Origin {
  return {
    command: ['npm run bench --', name, ...process.argv.slice(2)].join(' '),
    commit: execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim(),
    machine: `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores`,
    versions: {
      seine: JSON.parse(readFileSync('package.json', 'utf8')).version as string,
      isa: native()?.supportedIsas()[0] ?? 'none',
      node: process.versions.node,
      ...versions,
    },
    threads: threadBudget(),
    loadBefore: Number(loadavg()[0]!.toFixed(1)),
  };
}

/** Puts a result into `bench/results/<name>.json`, whole or not at all. */
export function keepResult(name: string, result: object): void {
  mkdirSync('bench/results', { recursive: true });
  const path = `bench/results/${name}.json`;
  writeFileSync(`${path}.new`, `${JSON.stringify(result, null, 2)}\n`);
  renameSync(`${path}.new`, path);
}

/** Keeps a result, unless it is of a quick look, and prints it if that was asked for. */
export function deliver(name: string, result: object, { quick, json }: Flags): void {
  if (!quick) keepResult(name, result);
  if (json) console.log(JSON.stringify(result, null, 2));
}
