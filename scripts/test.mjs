// Runs every check: formatting, lint, types, then the suites. Arguments go to jest, e.g. `npm test -- test/store`.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { testOnLavapipe } from './lavapipe.mjs';
import { runJest } from './runJest.mjs';
import { swiftshaderEnvironment } from './swiftshader.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const arguments_ = process.argv.slice(2);

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

if (arguments_.length === 0) {
  run(process.execPath, ['node_modules/@biomejs/biome/bin/biome', 'check', '.']);
  run(process.execPath, ['scripts/clangFormat.mjs']);
  for (const project of ['test', 'bench/browser/page'])
    run(process.execPath, ['node_modules/typescript/bin/tsc', '--noEmit', '-p', project]);
}
// Fibers and sections of ELF files: elsewhere the emulated CUDA device is not tested.
if (process.platform === 'linux')
  run(process.execPath, ['scripts/buildNative.mjs', '--emulated', '--optional']);
const status = runJest(arguments_, swiftshaderEnvironment());
if (status !== 0 || arguments_.length > 0) process.exit(status);
process.exit(testOnLavapipe());
