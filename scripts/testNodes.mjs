// Runs the suites on the newest Node 22 and 24 that the npm package `node` brings.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

for (const major of ['22', '24']) {
  const prefix = join(root, '.cache', 'nodes', major);
  mkdirSync(prefix, { recursive: true });
  execFileSync(
    'npm',
    ['install', '--no-save', '--no-fund', '--no-audit', '--prefix', prefix, `node@${major}`],
    {
      stdio: ['ignore', 2, 2],
      shell: process.platform === 'win32',
    },
  );
  const node = join(
    prefix,
    'node_modules',
    'node',
    'bin',
    process.platform === 'win32' ? 'node.exe' : 'node',
  );
  console.log(`\nNode ${execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()}`);
  execFileSync(node, ['scripts/test.mjs', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
}
