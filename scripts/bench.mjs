// Runs a benchmark on the compiled files: node scripts/bench.mjs encode [arguments]
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transformFile } from '@swc/core';

const root = fileURLToPath(new URL('..', import.meta.url));
const [name = ''] = process.argv.splice(2, 1);
if (!/^[A-Za-z]+$/.test(name)) {
  console.error('usage: node scripts/bench.mjs <name of a file bench/<name>.bench.ts> [arguments]');
  process.exit(2);
}
const sources = readdirSync(`${root}/bench`, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.replaceAll('\\', '/'));
await Promise.all(sources.map(compile));
process.chdir(root);
await import(pathToFileURL(compiled(`${name}.bench.ts`)).href);

/** Node 20 cannot run TypeScript, so the types are stripped first, as the tests do. */
async function compile(file) {
  const { code } = await transformFile(`${root}/bench/${file}`, {
    jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
    module: { type: 'es6' },
  });
  const base = pathToFileURL(`${root}/bench/${file}`);
  const linked = code.replace(/(from|import)(\s*\(?\s*)(["'])(\.[^"']+)\3/g, (_, word, gap, quote, to) => {
    return `${word}${gap}${quote}${linkOf(new URL(to, base))}${quote}`;
  });
  mkdirSync(dirname(compiled(file)), { recursive: true });
  writeFileSync(compiled(file), linked);
}

/** Where the compiled form of a file of `bench/` lies. */
function compiled(file) {
  return `${root}/.cache/bench/${file.replace(/\.ts$/, '.mjs')}`;
}

/** The product is taken from `dist/`, other benchmarks as they are compiled here, scripts as they stand. */
function linkOf(url) {
  const { href } = url;
  const at = pathToFileURL(root).href.replace(/\/$/, '');
  if (href.startsWith(`${at}/ts/`)) return href.replace(`${at}/ts/`, `${at}/dist/`).replace(/\.ts$/, '.js');
  if (!href.startsWith(`${at}/bench/`) || !href.endsWith('.ts')) return href;
  return pathToFileURL(compiled(href.slice(`${at}/bench/`.length))).href;
}
