// Everything that only a machine with an NVIDIA GPU can show, in one command: the CUDA build, the suites of cuda and
// of webgpu on the real adapter, the compute sanitizer, the benchmark of the scan. The report goes to
// build/testGpu.json. Ends with 3 where something is missing, with 1 where something fails.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runJest } from './runJest.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const report = { date: new Date().toISOString(), node: process.version, steps: [] };

/** What a command prints, or undefined if it cannot be run or fails. */
function ask(command, args) {
  const { status, stdout } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

const needed = {
  nvcc: [['--version'], 'install the CUDA toolkit 12 or newer and put its bin folder on the PATH'],
  'nvidia-smi': [['-L'], 'no NVIDIA driver shows a GPU: install one, or pass the GPU to this container'],
  'compute-sanitizer': [['--version'], 'it comes with the CUDA toolkit: put its bin folder on the PATH'],
};
const missing = [];
for (const [command, [args, remedy]] of Object.entries(needed)) {
  report[command] = ask(command, args);
  if (!report[command]) missing.push(`${command}: ${remedy}`);
}
if (missing.length > 0) {
  console.error(`The tests for a GPU cannot run here, since this is missing:\n  ${missing.join('\n  ')}`);
  process.exit(3);
}

/** Runs a step, which gives an exit status, and notes its outcome. */
function step(name, run) {
  console.log(`\n${name}`);
  const start = Date.now();
  const status = run();
  report.steps.push({ name, status, seconds: Math.round((Date.now() - start) / 1000) });
  return status === 0;
}

const inherit =
  (command, args, env = {}) =>
  () =>
    spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } }).status ?? 1;
const node = process.execPath;

if (step('build with CUDA', inherit(node, ['scripts/buildNative.mjs'], { SEINE_CUDA: 'ON' }))) {
  const devices = { SEINE_DEVICES: 'cuda,webgpu' };
  step('suites on cuda and webgpu', () => runJest(['test/device', 'test/kernels'], devices));
  const search = [node, 'test/helpers/searchDigest.mjs', 'cuda'];
  for (const tool of ['memcheck', 'racecheck']) {
    const args = ['--tool', tool, '--error-exitcode', '1', '--target-processes', 'all', ...search];
    step(`compute-sanitizer ${tool}`, inherit('compute-sanitizer', args));
  }
  if (existsSync(join(root, 'bench/scan.bench.ts'))) {
    step('benchmark of the scan', inherit(node, ['scripts/bench.mjs', 'scan']));
  }
}

mkdirSync(join(root, 'build'), { recursive: true });
writeFileSync(join(root, 'build/testGpu.json'), `${JSON.stringify(report, undefined, 2)}\n`);
console.log(`\nReport: build/testGpu.json`);
for (const { name, status, seconds } of report.steps) {
  console.log(`${status === 0 ? 'passed' : 'FAILED'}  ${name} (${seconds} s)`);
}
process.exit(report.steps.every(({ status }) => status === 0) ? 0 : 1);
