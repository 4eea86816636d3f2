import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { random } from '../../ts/core/random.ts';
import type { Metric } from '../../ts/core/types.ts';
import { quantizeRows } from '../../ts/device/reference/quantizeRows.ts';
import { score } from '../../ts/device/reference/score.ts';
import { provider } from '../../ts/device/webgpu.ts';
import { queryBounds, rowFacts } from '../../ts/device/webgpuBounds.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const probe = await provider.probe();
const withAdapter = probe.available ? test : test.skip;
if (!probe.available) console.warn(`Tests that need a WebGPU adapter are skipped: ${probe.reason}.`);

/** Runs a module's text in a Node process of its own. */
function runNode(code: string, env: NodeJS.ProcessEnv = process.env) {
  return run(process.execPath, ['--input-type=module', '-e', code], { cwd: root, env, timeout: 50_000 });
}

describe('the error bound', () => {
  /** A float32 sum as bad as WGSL allows: any order, either rounding, small numbers flushed. */
  function sloppyCost(
    metric: Metric,
    query: Float32Array,
    row: ArrayLike<number>,
    factor: number,
    seed: number,
  ): number {
    const source = random(seed);
    const flush = (x: number) => (Math.abs(x) < 2 ** -126 ? 0 : x);
    const rounded = (x: number) => {
      const near = Math.fround(x);
      if (near === x || source.next() < 0.5) return flush(near);
      const bits = new Int32Array(Float32Array.of(near).buffer); // the neighbour on the other side of x
      bits[0]! += Math.abs(near) < Math.abs(x) ? 1 : -1;
      return flush(new Float32Array(bits.buffer)[0]!);
    };
    const order = source.shuffle(Array.from(query.keys()));
    let sum = 0;
    for (const i of order) {
      const q = flush(query[i]!);
      const x = flush(row[i]!);
      const difference = rounded(q - rounded(x * flush(factor)));
      sum = rounded(sum + (metric === 'l2' ? rounded(difference * difference) : rounded(q * x)));
    }
    return metric === 'l2' ? sum : -rounded(sum * flush(factor));
  }

  test.each(['f32', 'int8'] as const)(
    'holds for every float32 sum that WGSL allows over %s',
    async (dtype) => {
      const input = fc.record({
        metric: fc.constantFrom<Metric>('ip', 'cosine', 'l2'),
        dim: fc.integer({ min: 1, max: 64 }),
        queryExponent: fc.integer({ min: -140, max: 120 }),
        rowExponent: fc.integer({ min: -140, max: 120 }),
        cancel: fc.boolean(),
        seed: fc.nat(),
      });
      let decided = 0;
      const property = fc.asyncProperty(
        input,
        async ({ metric, dim, queryExponent, rowExponent, cancel, seed }) => {
          const source = random(seed);
          const query = Float32Array.from({ length: dim }, () => source.normal() * 2 ** queryExponent);
          const given = Float32Array.from({ length: dim }, (_, i) => {
            if (!cancel) return source.normal() * 2 ** rowExponent;
            return metric === 'l2'
              ? query[i]! * (1 + source.normal() * 2 ** -20)
              : query[dim - 1 - i]! * (-1) ** i;
          });
          const { rows } = await quantizeRows(given, { dim, dtype });
          const [codes, scale] = rows.dtype === 'int8' ? [rows.codes, rows.scales[0]!] : [given, 1];
          const row = Float32Array.from(codes, (code) => code * scale);
          const asked = queryBounds({ dim, metric, dtype }, query, 0);
          const facts = rowFacts(metric, Math.sqrt(row.reduce((sum, x) => sum + x * x, 0)), scale);
          const [x, y, z, w] = Float32Array.from(asked.bounds) as unknown as [number, number, number, number];
          const norm = Math.fround(facts.norm);
          if (norm >= w) return; // undecided: always a candidate
          decided++;
          const cost = sloppyCost(
            metric,
            query.map((value) => value * asked.scale),
            codes,
            Math.fround(facts.factor),
            seed,
          );
          const canonical = score(metric, query, 0, row, 0, dim);
          expect(Number.isFinite(canonical)).toBe(true);
          const size = metric === 'l2' ? norm * norm : norm;
          const truth = metric === 'l2' ? canonical : -canonical * (metric === 'ip' ? asked.scale : 1);
          expect(Math.abs(cost - truth)).toBeLessThanOrEqual(x * size + y * Math.abs(cost) + z);
        },
      );
      await fc.assert(property, { numRuns: 3000 });
      expect(decided).toBeGreaterThan(1000);
    },
  );

  test('is nearly reached by a sum that loses all it may', () => {
    const dim = 2000;
    const towardsZero = (x: number) => {
      const near = Math.fround(x);
      if (Math.abs(near) <= Math.abs(x)) return near;
      const bits = new Int32Array(Float32Array.of(near).buffer);
      bits[0]! -= 1;
      return new Float32Array(bits.buffer)[0]!;
    };
    // Each term after the first is a little less than the last place of the sum, and so lost.
    const small = 2 ** -11.5 * 0.999;
    const vector = (first: number) => Float32Array.from({ length: dim }, (_, i) => (i === 0 ? first : small));
    const row = vector(1.0005);
    for (const metric of ['ip', 'l2'] as const) {
      // Of length 1 at most, which needs no scale.
      const query =
        metric === 'l2' ? new Float32Array(dim) : vector(Math.sqrt(1 - 1.01 * dim * small * small));
      const asked = queryBounds({ dim, metric, dtype: 'f32' }, query, 0);
      expect(asked.scale).toBe(1);
      const terms = row.map((x, i) => towardsZero(metric === 'l2' ? x * x : query[i]! * x));
      const sum = terms.reduce((total, term) => towardsZero(total + term), 0);
      const error = row.reduce((total, x, i) => total + x * (metric === 'l2' ? x : query[i]!), 0) - sum;
      const { norm } = rowFacts(metric, Math.sqrt(row.reduce((total, x) => total + x * x, 0)), 1);
      const [x, y, z] = asked.bounds;
      expect(error).toBeLessThanOrEqual(x * norm + y * sum + z);
      expect(error).toBeGreaterThan(0.9 * (x * norm + y * sum + z));
    }
  });

  test('is small enough to decide nearly all rows of ordinary data', () => {
    const source = random(8);
    const query = Float32Array.from({ length: 384 }, () => source.normal());
    for (const metric of ['ip', 'cosine', 'l2'] as const) {
      const [x, y, , w] = queryBounds({ dim: 384, metric, dtype: 'f32' }, query, 0).bounds;
      expect(x + y).toBeLessThan(1e-4);
      expect(w).toBeGreaterThan(1e15);
    }
  });
});

describe('the process', () => {
  withAdapter('ends by itself after a device was opened, used and closed', async () => {
    const { stdout } = await runNode(`
      import { openDevice } from './dist/device/openDevice.js';
      const device = await openDevice('webgpu');
      const rows = await device.upload(new Float32Array(4000).fill(1), { dim: 4, metric: 'ip', dtype: 'f32' });
      const top = await rows.search(Float32Array.of(1, 2, 3, 4), { k: 3 });
      await device.close();
      console.log(top.device, ...top.ids, ...top.scores);
    `);
    expect(stdout.trim()).toBe('webgpu 0 1 2 10 10 10');
  });

  const onLinux = process.platform === 'linux' ? test : test.skip; // elsewhere the driver comes with the system
  onLinux('is told what is missing where there is no driver', async () => {
    const { LD_LIBRARY_PATH, ...rest } = process.env;
    const { stdout, stderr } = await runNode(
      `
      import { openDevice } from './dist/device/openDevice.js';
      const error = await openDevice('webgpu').catch((error) => error);
      console.log(error.code ?? 'opened', error.message ?? '');
    `,
      { ...rest, VK_DRIVER_FILES: '/nowhere/icd.json', VK_ICD_FILENAMES: '/nowhere/icd.json' },
    );
    expect(stdout).toMatch(/^ERR_DEVICE_UNAVAILABLE webgpu was asked for, but .*install/);
    expect(stderr).not.toContain('libvulkan');
  });
});

describe('a lost device', () => {
  withAdapter('fails clearly, at once and later', async () => {
    const { stdout } = await runNode(`
      import { globals } from 'webgpu';
      import { openDevice } from './dist/device/openDevice.js';
      let gpu;
      const { requestDevice } = globals.GPUAdapter.prototype;
      globals.GPUAdapter.prototype.requestDevice = async function (...given) {
        return (gpu = await requestDevice.apply(this, given));
      };
      const device = await openDevice('webgpu');
      const options = { dim: 4, metric: 'ip', dtype: 'f32' };
      const rows = await device.upload(Float32Array.from({ length: 80000 }, (_, i) => i % 91), options);
      const query = Float32Array.of(1, 2, 3, 4);
      const searching = rows.search(query, { k: 3 });
      gpu.destroy();
      await gpu.lost;
      const show = (error) => console.log(error.code ?? 'no error', error.message ?? '');
      await searching.then(show, show);
      await rows.search(query, { k: 3 }).then(show, show);
      await rows.append(query).then(show, show);
      await device.upload(query, options).then(show, show);
      await device.close();
      console.log('closed');
    `);
    const lines = stdout.trim().split('\n');
    expect(lines).toHaveLength(5);
    for (const line of lines.slice(0, 4)) expect(line).toMatch(/^ERR_DEVICE_LOST The webgpu device was lost/);
    expect(lines[4]).toBe('closed');
  });
});
