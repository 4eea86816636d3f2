// Runs the suites on the newest Node 22 and 24 that the npm package `node` brings: those in which Node takes part.
// Shaders, emulated kernels and pages do not change with it, so `npm test` alone has them.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ELSEWHERE = ['test/kernels/', 'test/browser/', 'test/serve/page/'];
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
  const test = (args, env = {}) =>
    execFileSync(node, ['scripts/test.mjs', ...args], {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, ...env },
    });
  if (process.argv.length > 2) {
    test(process.argv.slice(2));
  } else {
    test(['--testPathIgnorePatterns', ...ELSEWHERE], {
      SEINE_DEVICES: 'reference,cpu',
      SEINE_WITHOUT_CHROMIUM: '1',
    });
    test(['test/device/contract', 'test/device/webgpu'], {
      SEINE_DEVICES: 'webgpu',
      SEINE_WITHOUT_CHROMIUM: '1',
    });
  }
}
