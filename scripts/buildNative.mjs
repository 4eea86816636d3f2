// Builds the addon with CMake into prebuilds/<platform>-<arch>/seine.node; does nothing if its sources have not
// changed since. With --optional, a missing CMake or compiler is reported and is no failure. Plain Node: it also
// runs in an installed package.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const optional = process.argv.includes('--optional');
// With --emulated, the build for tests whose CUDA device runs on the processor: build/emulated/seine.node.
const emulated = process.argv.includes('--emulated');
const cuda = emulated ? 'EMULATED' : (process.env.SEINE_CUDA ?? 'AUTO');

/** Linux with musl (Alpine) needs a build of its own. */
const isMusl =
  process.platform === 'linux' && process.report.getReport().header.glibcVersionRuntime === undefined;
const target = `${process.platform}${isMusl ? 'musl' : ''}-${process.arch}`;
const folder = emulated ? 'build/emulated' : `prebuilds/${target}`;
const output = join(root, folder);
const binary = join(output, 'seine.node');
const stamp = join(output, 'seine.stamp');

/** Ends with one line that says what is missing. */
function giveUp(reason) {
  console.error(
    `The native addon was not built: ${reason}. Search works without it, more slowly; for native speed install ` +
      'CMake 3.18 or newer and a C++20 compiler (Debian: apt install cmake g++; macOS: xcode-select --install ' +
      'and brew install cmake), then run: node scripts/buildNative.mjs',
  );
  process.exit(optional ? 0 : 3);
}

function sources() {
  const files = ['CMakeLists.txt'];
  for (const from of ['kernels', 'native', ...(emulated ? ['test/kernels/emulation'] : [])]) {
    for (const name of readdirSync(join(root, from)).sort()) {
      if (/\.(cpp|h|cu|cuh)$/.test(name)) files.push(`${from}/${name}`);
    }
  }
  return files;
}

/** What the binary is made of. */
function fingerprint() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} ${cuda}\n`);
  for (const file of sources()) hash.update(`${file}\n`).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function run(args) {
  const { status, error } = spawnSync('cmake', args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (error?.code === 'ENOENT') giveUp('CMake was not found');
  if (error) giveUp(`CMake could not be started (${error.message})`);
  return status === 0;
}

const wanted = fingerprint();
if (existsSync(binary) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) {
  console.error(`The native addon is up to date: ${folder}/seine.node`);
  process.exit(0);
}

let headers;
try {
  headers = createRequire(import.meta.url)('node-api-headers').include_dir;
} catch {
  giveUp('the package node-api-headers is not installed (run npm install)');
}
const build = join(root, 'build', emulated ? `${target}-emulated` : target);
const configure = [
  '-S',
  root,
  '-B',
  build,
  '-DCMAKE_BUILD_TYPE=Release',
  `-DNODE_API_HEADERS=${headers}`,
  `-DSEINE_CUDA=${cuda}`,
];
const forget = () => rmSync(build, { recursive: true, force: true });
const cached = existsSync(build);
let configured = run(configure);
if (!configured && cached) {
  forget(); // what is cached may be of another place, as in a folder that was moved
  configured = run(configure);
}
if (!configured) {
  forget(); // a cached failure would outlive its cause
  giveUp('CMake could not configure the build (see above; is a C++ compiler installed?)');
}
if (!run(['--build', build, '--config', 'Release', '--parallel', String(availableParallelism())])) {
  giveUp('the compiler reported an error (see above)');
}
mkdirSync(dirname(binary), { recursive: true });
// Moved, not written over: a process that has the old one loaded keeps it.
renameSync(join(build, 'seine.node'), binary);
if (emulated) renameSync(join(build, 'emulatedCudaTest'), join(output, 'emulatedCudaTest'));
writeFileSync(stamp, wanted);
console.error(`Built ${folder}/seine.node`);
