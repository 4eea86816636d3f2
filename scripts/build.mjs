// Compiles TypeScript into dist/ and marks the command as executable.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
try {
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc'], { cwd: root, stdio: 'inherit' });
} catch {
  process.exit(1); // tsc has said what is wrong
}
const command = `${root}/dist/cli/main.js`;
if (existsSync(command)) chmodSync(command, 0o755);
