// Builds the addon, its CUDA device emulated, with the address and undefined-behaviour sanitizers, and runs the suites
// of the cpu and cuda devices and the programs beside them on it: what the sanitizers find ends the process, and so
// the suite. For Linux and GCC.
//   node scripts/testSanitized.mjs [suite …]
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runJest } from './runJest.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const build = join(root, 'build/sanitized');
const suitesOf = (names) => names.split(/\s+/).map((name) => `test/device/${name}.test.ts`);
/** Fibers are slow under sanitizers. */
const ON_CUDA =
  suitesOf(`adversarial contract dtypes featureWeights features filterProgram matrix maxsim maxsimTies merge
  mutations rescore scanRows select soak`);
const ON_CPU = [
  ...ON_CUDA,
  ...suitesOf(
    `behaviour bitsetPasses certify cpu cpuThreads gatheredSearches native nativeAdamW nativeQuantize quantize`,
  ),
];

/** Runs a program to its end; ends with its status if that is not 0. */
function run(program, args, env = {}) {
  const options = { cwd: root, stdio: ['ignore', 2, 2], env: { ...process.env, ...env } };
  const { status, error } = spawnSync(program, args, options);
  if (error) throw new Error(`The tests under sanitizers need ${program}.`, { cause: error });
  if (status !== 0) process.exit(status ?? 1);
}

/** A library of the compiler's, to be loaded before Node's own. */
function library(name) {
  return spawnSync('g++', [`-print-file-name=${name}`], { encoding: 'utf8' }).stdout.trim();
}

run(process.execPath, ['scripts/build.mjs']);
run('cmake', [
  ...['-S', root, '-B', build, '-DCMAKE_BUILD_TYPE=Release', '-DCMAKE_CXX_COMPILER=g++'],
  `-DNODE_API_HEADERS=${createRequire(import.meta.url)('node-api-headers').include_dir}`,
  ...['-DSEINE_CUDA=EMULATED', '-DSEINE_SANITIZE=ON', '-DSEINE_TESTS=ON'],
]);
run('cmake', ['--build', build, '--parallel', String(availableParallelism())]);

const options = { UBSAN_OPTIONS: 'print_stacktrace=1' };
const suites = process.argv.slice(2);
if (suites.length === 0) {
  for (const program of ['scanTest', 'dotTest']) run(join(build, program), [], options);
}
const env = {
  ...options,
  LD_PRELOAD: [library('libasan.so'), library('libstdc++.so.6')].join(' '),
  // What Node does not free at its end is no leak of the addon's.
  ASAN_OPTIONS: 'detect_leaks=0',
  SEINE_OPERATIONS: process.env.SEINE_OPERATIONS ?? '5000',
};
const addon = join(build, 'seine.node');
const patient = ['--testTimeout=600000'];
const test = (list, devices) =>
  runJest([...patient, ...(suites.length > 0 ? suites : list)], { ...env, ...devices });
const onCpu = test(ON_CPU, { SEINE_DEVICES: 'cpu', SEINE_ADDON: addon });
const onCuda = test(ON_CUDA, { SEINE_DEVICES: 'cuda', SEINE_EMULATED_ADDON: addon });
process.exit(Math.max(onCpu, onCuda));
