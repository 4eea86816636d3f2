// Puts each fault of test/kernels/mutants/ into a copy of the working tree, builds what it touches, and runs the
// tests that are to find it until one fails. Ends with 1 if a fault is found by none.
//   node scripts/testMutants.mjs [regular expression for "<device>: <name>"]
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mutants, mutate } from '../test/kernels/mutants/mutants.mjs';
import { swiftshaderEnvironment } from './swiftshader.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
/** A fault may keep a test from ending. */
const MOST_MS = 300_000;
const SEED = process.env.SEINE_SEED ?? '1';

const pattern = new RegExp(process.argv[2] ?? '');
const wanted = mutants.filter(({ device, name }) => pattern.test(`${device}: ${name}`));
const scratch = mkdtempSync(join(tmpdir(), 'seine-mutants-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

const tracked = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
for (const file of execFileSync('git', tracked, { cwd: root, encoding: 'utf8' }).split('\0')) {
  if (file === '' || file.startsWith('models/')) continue;
  mkdirSync(dirname(join(scratch, file)), { recursive: true });
  cpSync(join(root, file), join(scratch, file));
}
symlinkSync(join(root, 'node_modules'), join(scratch, 'node_modules'));

/** What is built from `file`; the WGSL source is read as it is. */
function buildOf(file) {
  if (file.startsWith('ts/')) return ['scripts/build.mjs'];
  if (file.endsWith('.wgsl')) return [];
  return /cuda|\.cuh?$/.test(file) ? ['scripts/buildNative.mjs', '--emulated'] : ['scripts/buildNative.mjs'];
}

/** Whether what is built from `file` compiles. */
function build(file) {
  const args = buildOf(file);
  return args.length === 0 || spawnSync(process.execPath, args, { cwd: scratch }).status === 0;
}

let running;
process.on('exit', () => running && process.kill(-running.pid, 'SIGKILL'));

/** Runs node for at most MOST_MS, then ends it and all that it started: a fault may keep those from ending, too. */
async function runNode(args, options) {
  // A group of its own, so that it can be ended with its children.
  running = spawn(process.execPath, args, {
    ...options,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const { pid } = running;
  let stderr = '';
  running.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    process.kill(-pid, 'SIGKILL');
  }, MOST_MS);
  const [status, signal] = await once(running, 'close');
  clearTimeout(timer);
  running = undefined;
  return { status, signal, late, stderr };
}

/** The test that fails first, or undefined if all pass. */
async function firstFailure({ device, suites }) {
  const output = join(scratch, 'jest.json');
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const jest = ['node_modules/jest/bin/jest.js', '-c', 'test/jest.config.mjs', '--runInBand'];
  for (const suite of suites) {
    rmSync(output, { force: true });
    const { status, signal, late, stderr } = await runNode(
      [...flags, ...jest, '--json', `--outputFile=${output}`, suite],
      {
        cwd: scratch,
        env: {
          ...process.env,
          ...swiftshaderEnvironment(),
          SEINE_DEVICES: device,
          SEINE_SEED: SEED,
          SEINE_SHRINK: '0',
        },
      },
    );
    if (status === 0) continue;
    if (late) return `${suite}: no end within ${MOST_MS / 1000} s`;
    if (signal === 'SIGTERM' || signal === 'SIGINT') throw new Error(`The tests were ended by ${signal}.`);
    if (signal !== null) return `${suite}: the process ended by ${signal}`;
    if (!existsSync(output)) return `${suite}: jest ended: ${stderr.trim().split('\n').at(-1)}`;
    const { testResults } = JSON.parse(readFileSync(output, 'utf8'));
    const failed = testResults[0]?.assertionResults.find((result) => result.status === 'failed');
    return `${suite}: ${failed?.fullName ?? testResults[0]?.message ?? 'the suite did not run'}`;
  }
  return undefined;
}

console.log('Building, and running the tests without a fault …');
for (const file of ['ts/', ...wanted.map((mutant) => mutant.file)]) {
  if (!build(file)) throw new Error(`The build that concerns ${file} failed.`);
}
for (const device of new Set(wanted.map((mutant) => mutant.device))) {
  const suites = new Set(wanted.filter((mutant) => mutant.device === device).flatMap((one) => one.suites));
  const failure = await firstFailure({ device, suites });
  if (failure !== undefined) throw new Error(`A test fails without a fault: ${failure}`);
}

let survivors = 0;
let before = '.wgsl';
for (const mutant of wanted) {
  const path = join(scratch, mutant.file);
  const source = readFileSync(path, 'utf8');
  writeFileSync(path, mutate(source, mutant));
  if (buildOf(before).join() !== buildOf(mutant.file).join()) build(before); // without the last fault
  before = mutant.file;
  const built = build(mutant.file);
  const killer = built ? await firstFailure(mutant) : undefined;
  writeFileSync(path, source);
  if (killer === undefined) survivors++;
  const outcome = !built ? 'DOES NOT COMPILE' : killer === undefined ? 'SURVIVED' : `killed by ${killer}`;
  console.log(`${mutant.device}: ${mutant.name}: ${outcome}`);
}
console.log(`${wanted.length - survivors} of ${wanted.length} faults were found.`);
process.exit(survivors === 0 ? 0 : 1);
