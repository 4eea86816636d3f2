import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Which rooms a room may import, besides itself. A stage (`online/x`, `offline/x`) never imports its siblings. */
const ARROWS: Record<string, string[]> = {
  index: ['search', 'online', 'device', 'store', 'models', 'core'],
  browser: ['device', 'core'],
  cli: ['serve', 'search', 'online', 'offline', 'device', 'store', 'models', 'train', 'report', 'core'],
  serve: ['search', 'online', 'device', 'store', 'models', 'core'],
  search: ['online', 'device', 'store', 'models', 'core'],
  online: ['device', 'store', 'models', 'core'],
  offline: ['online', 'train', 'graph', 'device', 'store', 'models', 'report', 'core'],
  train: ['models', 'graph', 'device', 'core'],
  models: ['graph', 'core'],
  graph: ['core'],
  device: ['core'],
  store: ['core'],
  report: ['core'],
  core: [],
};
const STAGED = ['online', 'offline'];

interface Import {
  from: string;
  to: string;
}

function filesBelow(folder: string, suffixes: string[]): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => suffixes.some((suffix) => file.endsWith(suffix)))
    .map((file) => join(folder, file).replaceAll('\\', '/'));
}

/** Specifiers of a file's static, dynamic and type imports and re-exports, and of its workers. */
function specifiers(file: string): string[] {
  const source = readFileSync(join(root, file), 'utf8');
  const found = [...source.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1]!);
  const workers = [...source.matchAll(/new URL\('(\.[^']+)\.js', import\.meta\.url\)/g)].map(
    (m) => `${m[1]}.ts`,
  );
  return [...found, ...workers];
}

/** The folder, `index` for the public exports, and `search` for the other files at the top: they are one room. */
function room(file: string): string {
  const parts = file.split('/');
  if (parts.length > 2) return parts[1]!;
  return parts[1] === 'index.ts' ? 'index' : 'search';
}

const sources = filesBelow('ts', ['.ts']);
const imports: Import[] = sources.flatMap((from) =>
  specifiers(from)
    .filter((specifier) => specifier.startsWith('.') && !specifier.endsWith('.wgsl'))
    .map((specifier) => ({
      from,
      to: relative(root, join(root, dirname(from), specifier)).replaceAll('\\', '/'),
    })),
);

function importersOf(pattern: RegExp): string[] {
  return sources.filter((file) => specifiers(file).some((specifier) => pattern.test(specifier)));
}

describe('architecture', () => {
  test('every room has its arrows', () => {
    expect(new Set(sources.map(room))).toEqual(new Set(sources.map(room).filter((name) => name in ARROWS)));
  });

  test('imports follow the arrows', () => {
    const wrong = imports.filter(
      ({ from, to }) => room(from) !== room(to) && !ARROWS[room(from)]!.includes(room(to)),
    );
    expect(wrong).toEqual([]);
  });

  test('stages do not import their siblings', () => {
    const wrong = imports.filter(({ from, to }) => {
      const [, area, stage] = from.split('/');
      const [, toArea, toStage] = to.split('/');
      return STAGED.includes(area!) && area === toArea && stage !== toStage;
    });
    expect(wrong).toEqual([]);
  });

  test('there is no import cycle', () => {
    const targets = groupByFrom(imports);
    const done = new Set<string>();
    const visit = (file: string, path: string[]): void => {
      const at = path.indexOf(file);
      if (at >= 0) throw new Error(`import cycle: ${[...path.slice(at), file].join(' -> ')}`);
      if (done.has(file)) return;
      for (const { to } of targets.get(file) ?? []) visit(to, [...path, file]);
      done.add(file);
    };
    for (const file of sources) visit(file, []);
    expect(done.size).toBe(sources.length);
  });

  test('every import names a file that is there', () => {
    const missing = imports.filter(({ to }) => !sources.includes(to));
    expect(missing).toEqual([]);
  });

  test('each outside runtime has one importer', () => {
    expect(importersOf(/^onnxruntime-node$/)).toEqual(['ts/models/session.ts']);
    expect(importersOf(/^@photostructure\/sqlite$/).every((file) => file.startsWith('ts/store/'))).toBe(true);
    const naming = (pattern: RegExp) =>
      sources.filter((file) => pattern.test(readFileSync(join(root, file), 'utf8')));
    expect(naming(/['`][^'`\n]*seine\.node['`]/)).toEqual(['ts/device/native.ts']);
    expect(naming(/^(?!declare).*['`][^'`\n]*\.wgsl['`]/m)).toEqual([
      'ts/browser/openWebgpu.ts',
      'ts/device/webgpu.ts',
    ]);
  });

  test('core imports Node and nothing else, but for the progress bar', () => {
    const outside = sources
      .filter((file) => room(file) === 'core')
      .flatMap((file) => specifiers(file).map((specifier) => `${file}: ${specifier}`))
      .filter((line) => !/: (?:node:|\.)/.test(line));
    expect(outside).toEqual(['ts/core/progress.ts: cli-progress']);
  });

  test('what runs in browsers takes nothing but types from the rest, and gives it nothing', () => {
    const page = 'ts/serve/page/';
    const foreign = sources
      .filter((file) => file.startsWith(page))
      .flatMap((file) => {
        const source = readFileSync(join(root, file), 'utf8').replaceAll(/import type [^;]*;/g, '');
        const taken = [...source.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1]!);
        return taken.filter((specifier) => !/^\.\/\w+\.ts$/.test(specifier)).map((one) => `${file}: ${one}`);
      });
    expect(foreign).toEqual([]);
    const types = imports.filter(({ from, to }) => from.startsWith(page) && !to.startsWith(page));
    expect(types.filter(({ to }) => !to.startsWith('ts/core/'))).toEqual([]);
    expect(imports.filter(({ from, to }) => !from.startsWith(page) && to.startsWith(page))).toEqual([]);
  });

  test('what seine/webgpu is made of imports nothing of Node and no package', () => {
    const targets = groupByFrom(imports);
    const reached = new Set(['ts/browser/webgpu.ts']);
    for (const file of reached) for (const { to } of targets.get(file) ?? []) reached.add(to);
    expect(reached).toContain('ts/device/webgpuRows.ts');
    const foreign = [...reached].flatMap((file) =>
      specifiers(file)
        .filter((specifier) => !/^\.{1,2}\//.test(specifier))
        .map((specifier) => `${file}: ${specifier}`),
    );
    expect(foreign).toEqual([]);
  });

  test('nothing in the page takes text as HTML or as code', () => {
    const risky =
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|\beval\b|new Function/;
    const page = sources.filter((file) => file.startsWith('ts/serve/page/'));
    expect(page.length).toBeGreaterThan(0);
    expect(page.filter((file) => risky.test(readFileSync(join(root, file), 'utf8')))).toEqual([]);
  });

  test('source files stay within 300 lines', () => {
    const code = [
      ...sources,
      ...filesBelow('native', ['.cpp', '.h', '.hpp', '.cu']),
      ...filesBelow('kernels', ['.cpp', '.h', '.hpp', '.cu', '.cuh', '.wgsl']),
      ...filesBelow('test', ['.ts', '.mjs', '.cpp', '.h']),
      ...filesBelow('bench', ['.ts', '.mjs']),
      ...filesBelow('scripts', ['.mjs']),
    ];
    const long = code
      .map((file) => ({ file, lines: readFileSync(join(root, file), 'utf8').trimEnd().split('\n').length }))
      .filter(({ lines }) => lines > 300);
    expect(long).toEqual([]);
  });

  test('the addon never includes upwards from kernels', () => {
    const upwards = filesBelow('kernels', ['.cpp', '.h', '.hpp', '.cu', '.cuh']).filter((file) =>
      /#include\s+"[^"]*native\//.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(upwards).toEqual([]);
  });
});

function groupByFrom(edges: Import[]): Map<string, Import[]> {
  const groups = new Map<string, Import[]>();
  for (const edge of edges) groups.set(edge.from, [...(groups.get(edge.from) ?? []), edge]);
  return groups;
}
