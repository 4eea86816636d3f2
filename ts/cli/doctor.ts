import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { Command } from 'commander';
import { DEFAULT_EMBEDDER, DEFAULT_RANKER } from '../core/defaults.ts';
import { SeineError } from '../core/errors.ts';
import { threadBudget } from '../core/threads.ts';
import type { ProbedDevice } from '../device/openDevice.ts';
import type { ModelKind } from '../models/resolveModel.ts';
import { addOutputOptions, type IndexOptions } from './options.ts';
import { output } from './output.ts';

export function doctorCommand(): Command {
  const command = new Command('doctor')
    .summary('show what this machine has and what is used')
    .description(
      'Shows each device with why it is taken or refused, the models, where they can run, and the thread budget.',
    );
  return addOutputOptions(command)
    .addHelpText('after', '\nExamples:\n  $ seine doctor\n  $ seine doctor --json | jq -r .device')
    .action(run);
}

/** A model that is used by default, or why it is not there. */
interface DefaultModel {
  kind: ModelKind;
  name: string;
  found: boolean;
  directory?: string;
  hash?: string;
  bytes?: number;
  reason?: string;
}

interface Diagnosis {
  seine: string;
  node: string;
  platform: string;
  threads: { budget: number; cores: number; from: string };
  memoryBytes: number;
  /** The device that searches take unless another one is asked for. */
  device: string;
  devices: ProbedDevice[];
  models: DefaultModel[];
  /** Where ONNX Runtime can run models. */
  providers: { available: { name: string; bundled: boolean }[]; reason?: string };
}

async function run(options: Pick<IndexOptions, 'json' | 'quiet'>): Promise<void> {
  const out = output(options);
  const diagnosis = await diagnose();
  if (options.json) out.object(diagnosis);
  else for (const line of describe(diagnosis)) out.data(line);
}

async function diagnose(): Promise<Diagnosis> {
  const { probeDevices } = await import('../device/openDevice.ts');
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const devices = await probeDevices();
  return {
    seine: (JSON.parse(manifest) as { version: string }).version,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    threads: {
      budget: threadBudget(),
      cores: availableParallelism(),
      from: process.env.SEINE_THREADS ? 'SEINE_THREADS' : 'the cores and the CPU quota of this process',
    },
    memoryBytes: totalmem(),
    device: devices.find((device) => device.chosen)?.name ?? 'reference',
    devices,
    models: [await findModel(DEFAULT_EMBEDDER, 'embedder'), await findModel(DEFAULT_RANKER, 'ranker')],
    providers: await findProviders(),
  };
}

async function findModel(name: string, kind: ModelKind): Promise<DefaultModel> {
  const { resolveModel } = await import('../models/resolveModel.ts');
  try {
    const { directory, hash, files } = await resolveModel(name, kind);
    const sizes = await Promise.all(Object.values(files).map(async (file) => (await stat(file)).size));
    return { kind, name, found: true, directory, hash, bytes: sizes.reduce((sum, size) => sum + size, 0) };
  } catch (error) {
    return { kind, name, found: false, reason: reasonOf(error) };
  }
}

async function findProviders(): Promise<Diagnosis['providers']> {
  const { availableProviders } = await import('../models/session.ts');
  try {
    return { available: await availableProviders() };
  } catch (error) {
    return { available: [], reason: reasonOf(error) };
  }
}

/** What a `SeineError` says; anything else is a defect and goes up. */
function reasonOf(error: unknown): string {
  if (error instanceof SeineError) return error.message;
  throw error;
}

function describe(diagnosis: Diagnosis): string[] {
  const { threads, memoryBytes, devices, models, providers } = diagnosis;
  const lines = [
    `seine ${diagnosis.seine}, Node.js ${diagnosis.node}, ${diagnosis.platform}, ` +
      `${(memoryBytes / 2 ** 30).toFixed(1)} GiB of memory`,
    `threads    ${threads.budget} of ${threads.cores} cores (from ${threads.from})`,
    '',
    'devices    * is what "auto" takes',
  ];
  for (const { name, chosen, available, software, reason, details } of devices) {
    const imitated = software && name === 'webgpu' ? ' on a software adapter' : '';
    const state = available ? `available${imitated}` : 'not available';
    lines.push(` ${chosen ? '*' : ' '} ${name.padEnd(10)} ${state}: ${reason}`);
    for (const [key, value] of Object.entries(details)) {
      lines.push(`                ${key}: ${Array.isArray(value) ? value.join(', ') : value}`);
    }
  }
  lines.push('', 'models');
  for (const model of models) {
    const state = model.found
      ? `${(model.bytes! / 1e6).toFixed(1)} MB, hash ${model.hash!.slice(0, 12)}, ${model.directory}`
      : `not found: ${model.reason}`;
    lines.push(`   ${model.kind.padEnd(10)} ${model.name}: ${state}`);
  }
  const runOn = providers.available.map(({ name, bundled }) => (bundled ? name : `${name} (not bundled)`));
  lines.push(`   run on     ${providers.reason ?? runOn.join(', ')}`);
  return lines;
}
