// Checks the format of the C++ and CUDA sources; --write formats them.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const files = ['kernels', 'native'].flatMap((folder) =>
  readdirSync(`${root}/${folder}`, { recursive: true })
    .filter((name) => /\.(cpp|h|cu|cuh)$/.test(name))
    .map((name) => `${folder}/${name}`),
);
const mode = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '-Werror'];
const { status, error } = spawnSync(
  process.execPath,
  ['node_modules/clang-format/index.js', ...mode, '--style=file', ...files],
  { cwd: root, stdio: 'inherit' },
);
if (error) throw error;
process.exit(status ?? 1);
