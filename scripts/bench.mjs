// Runs a benchmark on the compiled files: node scripts/bench.mjs encode [arguments]
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transformFile } from '@swc/core';

const root = fileURLToPath(new URL('..', import.meta.url));
const [name = ''] = process.argv.splice(2, 1);
if (!/^[A-Za-z]+$/.test(name)) {
  console.error('usage: node scripts/bench.mjs <name of a file bench/<name>.bench.ts> [arguments]');
  process.exit(2);
}
// Node 20 cannot run TypeScript, so the types are stripped first, as the tests do.
const { code } = await transformFile(`${root}/bench/${name}.bench.ts`, {
  jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
  module: { type: 'es6' },
});
const script = `${root}/.cache/bench/${name}.bench.mjs`;
mkdirSync(`${root}/.cache/bench`, { recursive: true });
writeFileSync(script, code.replace(/(["'])\.\.\/ts\/(.*?)\.ts\1/g, '"../../dist/$2.js"'));
process.chdir(root);
await import(pathToFileURL(script).href);
