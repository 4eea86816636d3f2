// Puts each fault of test/kernels/mutants/ into a copy of the working tree, builds what it touches, and runs the
// tests that are to find it until one fails; writes the outcome into the README there. Ends with 1 if a fault is found
// by none. The copies, one a device, stay in build/mutants/, so that only what has changed is built again.
//   node scripts/testMutants.mjs [regular expression for "<device>: <name>"]
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mutants, mutate } from '../test/kernels/mutants/mutants.mjs';
import { recordOutcome } from '../test/kernels/mutants/outcomes.mjs';
import { swiftshaderEnvironment } from './swiftshader.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
/** A fault may keep a test from ending. */
const MOST_MS = 300_000;
const SEED = process.env.SEINE_SEED ?? '1';
/** What is made in a copy. */
const MADE = new Set(['build', 'dist', 'node_modules', 'prebuilds']);

/** The tracked files, and those to be tracked. */
function sources() {
  const list = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const files = execFileSync('git', list, { cwd: root, encoding: 'utf8' }).split('\0');
  return files.filter((file) => file !== '' && !file.startsWith('models/') && existsSync(join(root, file)));
}

/** Makes `copy` hold the working tree; files that have not changed keep their times, so they are not built again. */
function update(copy) {
  mkdirSync(copy, { recursive: true });
  const wanted = new Set(sources());
  for (const name of readdirSync(copy, { recursive: true })) {
    const path = join(copy, name);
    if (MADE.has(name.split('/')[0]) || wanted.has(name) || statSync(path).isDirectory()) continue;
    rmSync(path);
  }
  for (const file of wanted) {
    const to = join(copy, file);
    if (existsSync(to) && readFileSync(to).equals(readFileSync(join(root, file)))) continue;
    mkdirSync(dirname(to), { recursive: true });
    cpSync(join(root, file), to);
  }
  if (!existsSync(join(copy, 'node_modules')))
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
}

/** What is built from `file`; the WGSL source is read as it is. */
function buildOf(file) {
  if (file.startsWith('ts/')) return ['scripts/build.mjs'];
  if (file.endsWith('.wgsl')) return [];
  return /cuda|\.cuh?$/.test(file) ? ['scripts/buildNative.mjs', '--emulated'] : ['scripts/buildNative.mjs'];
}

/** Whether what is built from `file` compiles. */
function build(copy, file) {
  const args = buildOf(file);
  return args.length === 0 || spawnSync(process.execPath, args, { cwd: copy }).status === 0;
}

let running;
process.on('exit', () => running && process.kill(-running.pid, 'SIGKILL'));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

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

/** The suite and the test that fails first, or undefined if all pass. */
async function firstFailure(copy, device, suites) {
  const output = join(copy, 'build', 'jest.json');
  mkdirSync(dirname(output), { recursive: true });
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const jest = ['node_modules/jest/bin/jest.js', '-c', 'test/jest.config.mjs', '--runInBand'];
  for (const suite of suites) {
    rmSync(output, { force: true });
    const { status, signal, late, stderr } = await runNode(
      [...flags, ...jest, '--json', `--outputFile=${output}`, suite],
      {
        cwd: copy,
        env: {
          ...process.env,
          ...swiftshaderEnvironment(),
          SEINE_DEVICES: device,
          SEINE_WITHOUT_CHROMIUM: '1',
          SEINE_SEED: SEED,
          SEINE_SHRINK: '0',
          SEINE_FIRST_FAILURE: '1',
        },
      },
    );
    if (status === 0) continue;
    const name = basename(suite, '.test.ts');
    if (late) return [name, `no end within ${MOST_MS / 1000} s`];
    if (signal === 'SIGTERM' || signal === 'SIGINT') throw new Error(`The tests were ended by ${signal}.`);
    if (signal !== null) return [name, `the process ended by ${signal}`];
    if (!existsSync(output)) return [name, `jest ended: ${stderr.trim().split('\n').at(-1)}`];
    const { testResults } = JSON.parse(readFileSync(output, 'utf8'));
    const failed = testResults[0]?.assertionResults.find((result) => result.status === 'failed');
    return [name, failed?.title ?? testResults[0]?.message.split('\n')[0] ?? 'the suite did not run'];
  }
  return undefined;
}

/** Runs a device's mutants in its copy. Returns how many survived. */
async function testDevice(device, list) {
  const copy = join(root, 'build/mutants', device);
  console.log(`${device}: building, and running the tests without a fault …`);
  update(copy);
  const files = ['ts/', ...list.map((mutant) => mutant.file)];
  for (const file of new Map(files.map((file) => [buildOf(file).join(), file])).values()) {
    if (!build(copy, file)) throw new Error(`The build that concerns ${file} failed.`);
  }
  const failure = await firstFailure(copy, device, new Set(list.flatMap(({ suites }) => suites)));
  if (failure !== undefined) throw new Error(`A test fails without a fault: ${failure.join(': ')}`);
  let survivors = 0;
  let before = '.wgsl';
  for (const mutant of list) {
    const path = join(copy, mutant.file);
    const source = readFileSync(path, 'utf8');
    writeFileSync(path, mutate(source, mutant));
    if (buildOf(before).join() !== buildOf(mutant.file).join()) build(copy, before); // without the last fault
    before = mutant.file;
    const built = build(copy, mutant.file);
    const found = built ? await firstFailure(copy, device, mutant.suites) : undefined;
    writeFileSync(path, source);
    recordOutcome(mutant, found);
    if (found === undefined) survivors++;
    const outcome = !built
      ? 'DOES NOT COMPILE'
      : found === undefined
        ? 'SURVIVED'
        : `found by ${found.join(': ')}`;
    console.log(`${device}: ${mutant.name}: ${outcome}`);
  }
  return survivors;
}

const pattern = new RegExp(process.argv[2] ?? '');
const wanted = mutants.filter(({ device, name }) => pattern.test(`${device}: ${name}`));
let survivors = 0;
for (const device of new Set(wanted.map((mutant) => mutant.device))) {
  survivors += await testDevice(
    device,
    wanted.filter((mutant) => mutant.device === device),
  );
}
console.log(`${wanted.length - survivors} of ${wanted.length} faults were found.`);
process.exit(survivors === 0 ? 0 : 1);
