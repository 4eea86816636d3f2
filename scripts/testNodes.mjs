// Runs the suites on the newest Node 22 and 24 that the npm package `node` brings: those that rest on Node, which are the
// addon, files, streams, processes and HTTP. What computes is the same on each, so `npm test` alone has it.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ON_NODE = [
  ...[
    'architecture',
    'package',
    'cli/(?!distill|train|prune)',
    'core',
    'flow/(?!demo)',
    'store',
    'offline/ingest',
    'offline/evaluate',
  ],
  'serve/(?!page|soak|fuzz|admission|depth|faults/kill)',
  'models/(encoder|crossEncoder|nativeCalls|resolveModel)',
  'device/(behaviour|contract|gatheredSearches|native[.]|openDevice)',
].map((path) => `test/${path}`);
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
    test(ON_NODE, { SEINE_DEVICES: 'reference,cpu,webgpu', SEINE_WITHOUT_CHROMIUM: '1' });
  }
}
