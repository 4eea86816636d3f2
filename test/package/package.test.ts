import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { native, nativeProblem } from '../../ts/device/native.ts';
import { KERNEL_NAMES } from '../../ts/device/webgpuKernels.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const project = mkdtempSync(join(tmpdir(), 'seine-package-'));
const npm = (args: string[], cwd: string): string =>
  execFileSync('npm', [...args, '--no-fund', '--no-audit', '--loglevel=error'], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
  });
const node = (args: string[]): string =>
  execFileSync(process.execPath, args, {
    cwd: project,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });

// Without CMake and a compiler there is no addon to pack, and the reference takes its place.
const device = native() === undefined ? 'reference' : 'cpu';
if (device !== 'cpu') console.warn(`The packed addon is not tested: ${nativeProblem()?.message}`);

describe('the package', () => {
  let files: string[] = [];

  beforeAll(() => {
    // What is compiled is tested as it stands: `prepack` would compile it a second time under the running tests.
    const packed = JSON.parse(
      npm(['pack', '--json', '--ignore-scripts', '--pack-destination', project], root),
    );
    files = packed[0].files.map(({ path }: { path: string }) => path);
    writeFileSync(
      join(project, 'package.json'),
      JSON.stringify({ name: 'user', private: true, type: 'module' }),
    );
    npm(['install', '--prefer-offline', join(project, packed[0].filename)], project);
  }, 300_000);

  afterAll(() => rmSync(project, { recursive: true, force: true }));

  test('holds what a user needs', () => {
    const needed = [
      'LICENSE',
      'NOTICE',
      'README.md',
      'CHANGELOG.md',
      'CMakeLists.txt',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/cli/main.js',
      'dist/browser/webgpu.js',
      'dist/browser/webgpu.d.ts',
      'dist/serve/serve.js',
      'dist/serve/serve.d.ts',
      'dist/models/prompts/qwen3Reranker.json',
      'dist/serve/page/index.html',
      'dist/serve/page/main.js',
      ...KERNEL_NAMES.map((name) => `kernels/${name}.wgsl`),
      'models/seine-embed-small/onnx/model.onnx',
      'models/seine-rank-small/onnx/model.onnx',
      'scripts/buildNative.mjs',
    ];
    expect(files).toEqual(expect.arrayContaining(needed));
    expect(files.some((file) => /^prebuilds\/.+\/seine\.node$/.test(file))).toBe(device === 'cpu');
  });

  test('CI has what the addon needs', () => {
    if (process.env.CI === 'true') expect(device).toBe('cpu');
  });

  test('holds nothing else', () => {
    const foreign = files.filter(
      (file) =>
        !/^(?:dist|kernels|native|prebuilds|models\/seine-[a-z-]+)\/|^scripts\/buildNative\.mjs$|^[A-Za-z.]+$/.test(
          file,
        ),
    );
    expect(foreign).toEqual([]);
    expect(files.filter((file) => /binding\.gyp|\.stamp$|\.test\.|^bench|^test|\.map$/.test(file))).toEqual(
      [],
    );
  });

  test('an installed package imports, and doctor chooses the SIMD device where it is built', () => {
    const report = JSON.parse(node(['node_modules/seine/dist/cli/main.js', 'doctor', '--json']));
    const chosen = report.devices.filter((device: { chosen: boolean }) => device.chosen);
    expect(chosen.map((device: { name: string }) => device.name)).toEqual([device]);
    const script = `
      import { openDevice } from 'seine';
      const device = await openDevice();
      const rows = await device.upload(new Float32Array([1, 0, 0, 1]), { dim: 2, metric: 'ip', dtype: 'f32' });
      const { ids } = await rows.search(new Float32Array([0, 1]), { k: 1 });
      console.log(device.name, ids[0]);
      await device.close();`;
    expect(node(['--input-type=module', '-e', script])).toBe(`${device} 1\n`);
  });

  test('an installed package serves an index, its page and its interface', () => {
    const script = `
      import { serve } from 'seine/serve';
      const server = await serve({ index: 'served.seine', port: 0, device: '${device}', logLevel: 'silent' });
      const get = async (path) => (await fetch(server.url + path)).status;
      console.log(await get('/search?q=x'), await get('/'), await get('/docs'), await get('/docs/swagger-ui.css'));
      await server.close();`;
    expect(node(['--input-type=module', '-e', script])).toBe('200 200 200 200\n');
  });

  test('its types compile in a strict project', () => {
    const source = `
      import { type Filter, open, openDevice, SeineError, type TopK } from 'seine';
      import { type GivenSettings, type RunningServer, serve } from 'seine/serve';
      import { type Device, openWebgpu, SeineError as BrowserError } from 'seine/webgpu';
      const device = await openDevice('auto');
      const rows = await device.upload(new Float32Array(4), { dim: 2, metric: 'cosine', dtype: 'f32' });
      const filter: Filter = { mask: new Uint32Array(1) };
      const top: TopK = await rows.search(new Float32Array(2), { k: 1, filter });
      const inPage: Device = await openWebgpu();
      const { first, count, generation } = await rows.append(new Float32Array(2));
      const removed: number = await rows.remove([first]);
      await using index = await open('jobs.seine', { ranker: 'none' });
      const { hits, timings } = await index.search('x', { filter: { eq: ['remote', true] }, deadlineMs: 200 });
      const settings: GivenSettings = { index: 'jobs.seine', port: 0, workloads: { bulk: { weight: 2 } } };
      const server: RunningServer = await serve(settings);
      export const url: string = server.url;
      export const all = [top.ids, count, generation, removed, hits[0]?.scores.dense, timings.total, SeineError];
      export const browser = [inPage.description, BrowserError];`;
    writeFileSync(join(project, 'use.ts'), source);
    const options = [
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--exactOptionalPropertyTypes',
      '--module',
      'nodenext',
    ];
    const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')];
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    node([
      compiler,
      ...options,
      ...types,
      '--target',
      'es2023',
      '--lib',
      'es2023,esnext.disposable',
      'use.ts',
    ]);
    expect(readFileSync(join(project, 'node_modules/seine/package.json'), 'utf8')).toContain('"seine"');
  });
});
