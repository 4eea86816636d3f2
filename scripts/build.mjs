// Compiles TypeScript into dist/, puts the page's other files and the prompts beside their scripts, marks the command
// as executable and bundles what browsers load from the package.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = 'ts/serve/page';
try {
  // What is for browsers first: what it shares with the rest is compiled for Node.js in the end.
  for (const project of [page, 'ts/browser', '.']) {
    const args = ['node_modules/typescript/bin/tsc', '-p', project];
    execFileSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  }
} catch {
  process.exit(1); // tsc has said what is wrong
}
const command = `${root}/dist/cli/main.js`;
if (existsSync(command)) chmodSync(command, 0o755);
for (const file of readdirSync(`${root}/${page}`)) {
  if (/\.(?:html|css|svg)$/.test(file))
    copyFileSync(`${root}/${page}/${file}`, `${root}/dist/serve/page/${file}`);
}
cpSync(`${root}/ts/models/prompts`, `${root}/dist/models/prompts`, { recursive: true });
buildSync({
  absWorkingDir: root,
  entryPoints: ['ts/browser/webgpu.ts'],
  outfile: 'dist/browser/webgpu.js',
  bundle: true,
  format: 'esm',
  platform: 'browser', // an import of Node's modules is an error
  target: 'es2022',
  charset: 'utf8',
  loader: { '.wgsl': 'text' },
});
