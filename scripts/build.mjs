// Compiles TypeScript into dist/, puts the page's other files beside its scripts, marks the command as executable.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = 'ts/serve/page';
try {
  // The page first: it is compiled for browsers, and what it shares with the rest is for Node.js in the end.
  for (const project of [page, '.']) {
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
