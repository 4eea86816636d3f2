// Makes a fresh clone ready: installs dependencies, compiles TypeScript and, where CMake and a compiler are there,
// the addon. Needs Node and npm only; each step is skipped when its result is up to date.
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 17)) {
  console.error(`Seine needs Node 20.17 or newer, this is ${process.versions.node}.`);
  process.exit(3);
}

/** Modification time in milliseconds, 0 where there is no such file. */
function modified(path) {
  return statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function run(command, args, options = {}) {
  execFileSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options });
}

if (modified('node_modules/.package-lock.json') < modified('package-lock.json')) {
  console.error('Installing dependencies from the npm registry …');
  // The CPU runtime lies in the package; its install script would only look for CUDA libraries elsewhere.
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
  // Not `npm ci`: it refuses a lock file that lacks optional packages for other platforms than the one it was made on.
  run('npm', ['install', '--no-save', '--no-fund', '--no-audit'], {
    env,
    shell: process.platform === 'win32',
  });
}
run(process.execPath, ['scripts/build.mjs']);
run(process.execPath, ['scripts/buildNative.mjs', '--optional']);
