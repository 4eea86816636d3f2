import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { SeineError } from '../../ts/core/errors.ts';
import type { Rows } from '../../ts/device/device.ts';
import { openDevice } from '../../ts/device/openDevice.ts';
import { type GpuPage, openGpuPage } from '../helpers/gpuPage.ts';
import { withoutChromium } from '../helpers/launchBrowser.ts';

/** Bodies of functions of `rows` or `device` that must fail, run in the page and here alike. */
const WRONG = [
  'device.upload([1, 2], { dim: 2, metric: "ip", dtype: "f32" })',
  'device.upload(new Float64Array(2), { dim: 2, metric: "ip", dtype: "f32" })',
  'device.upload(new Float32Array(2), { dim: 0, metric: "ip", dtype: "f32" })',
  'device.upload(new Float32Array(2), { dim: 2, metric: "dot", dtype: "f32" })',
  'device.upload(new Float32Array(2), { dim: 2, metric: "ip", dtype: "f64" })',
  'device.upload(new Float32Array(2), { dim: 2, metric: "ip", dtype: "f32", nlist: 4 })',
  'device.upload(new Float32Array(3), { dim: 2, metric: "ip", dtype: "f32" })',
  'device.upload(Float32Array.of(1, NaN), { dim: 2, metric: "ip", dtype: "f32" })',
  'rows.search(new Float32Array(4), { k: 0 })',
  'rows.search(new Float32Array(4), { k: 1, nprobe: 4 })',
  'rows.search(new Float32Array(5), { k: 1 })',
  'rows.search(Float32Array.of(1, 2, Infinity, 4), { k: 1 })',
  'rows.search(new Float32Array(4), { k: 1, filter: {} })',
  'rows.search(new Float32Array(4), { k: 1, filter: { mask: new Uint8Array(4) } })',
  'rows.search(new Float32Array(4), { k: 1, filter: { rows: Uint32Array.of(400) } })',
  'rows.search(new Float32Array(4), { k: 1, signal: true })',
  'rows.search(new Float32Array(new ArrayBuffer(16, { maxByteLength: 32 })), { k: 1 })',
  'rows.search(new Float32Array(4), { k: 2 ** 32 - 2 })',
  'rows.append(new Float32Array(3))',
  'rows.append(Float32Array.of(1, 2, 3, NaN))',
  'rows.remove([400])',
  'rows.remove("3")',
  'closed.search(new Float32Array(4), { k: 1 })',
];

type Fail = (device: unknown, rows: unknown, closed: unknown) => Promise<unknown>;
const failureOf = (body: string) => new Function('device', 'rows', 'closed', `return ${body}`) as Fail;

/** The code and message of what each of `WRONG` throws here, on the reference. */
async function failuresHere(): Promise<unknown[]> {
  await using device = await openDevice('reference');
  const upload = () => device.upload(new Float32Array(400), { dim: 4, metric: 'l2', dtype: 'f32' });
  const [rows, closed] = [await upload(), await upload()];
  await closed.dispose();
  const failures: unknown[] = [];
  for (const body of WRONG) {
    const failure = (error: SeineError) => ({ code: error.code, message: error.message });
    failures.push(await failureOf(body)(device, rows, closed).then(() => body, failure));
  }
  return failures;
}

const suite = withoutChromium ? describe.skip : describe;

suite('seine/webgpu in Chromium', () => {
  let gpu: GpuPage;
  beforeAll(async () => {
    gpu = await openGpuPage();
  });
  afterAll(() => gpu?.close());

  test('is one file that needs nothing of Node', async () => {
    const names = await gpu.page.evaluate(async (entry) => Object.keys(await import(entry)), gpu.entry);
    expect(names.sort()).toEqual(['ERRORS', 'SeineError', 'openWebgpu']);
    expect(await gpu.page.evaluate('[typeof process, typeof require, typeof Buffer].join()')).toBe(
      'undefined,undefined,undefined',
    );
    expect(gpu.requests).toEqual(['/', '/webgpu.js']);
  });

  test('works in a module worker', async () => {
    const code = `
      import { openWebgpu } from '${gpu.entry}';
      const device = await openWebgpu();
      const rows = await device.upload(Float32Array.of(1, 0, 0, 1), { dim: 2, metric: 'ip', dtype: 'f32' });
      const { ids, device: name } = await rows.search(Float32Array.of(0, 1), { k: 1 });
      await device.close();
      postMessage(name + ' ' + ids[0]);`;
    const reply = await gpu.page.evaluate(`new Promise((resolve) => {
      const code = new Blob([${JSON.stringify(code)}], { type: 'text/javascript' });
      const worker = new Worker(URL.createObjectURL(code), { type: 'module' });
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => resolve(message);
    })`);
    expect(reply).toBe('webgpu 1');
  });

  test('says what is wrong as the reference does', async () => {
    const failures = await gpu.page.evaluate(
      async ([entry, bodies]) => {
        const { openWebgpu } = await import(entry);
        const device = await openWebgpu();
        const upload = () => device.upload(new Float32Array(400), { dim: 4, metric: 'l2', dtype: 'f32' });
        const [rows, closed] = [await upload(), await upload()];
        await closed.dispose();
        const found: unknown[] = [];
        for (const body of bodies) {
          const run = new Function('device', 'rows', 'closed', `return ${body}`);
          const failure = (error: SeineError) => ({ code: error.code, message: error.message });
          found.push(await run(device, rows, closed).then(() => body, failure));
        }
        await device.close();
        return found;
      },
      [gpu.entry, WRONG] as const,
    );
    // A browser does not tell how much memory is free.
    const comparable = (all: unknown[]) =>
      JSON.stringify(all, null, 1).replaceAll(/\w+ are free/g, 'are free');
    expect(comparable(failures)).toBe(comparable(await failuresHere()));
    expect(failures.every((failure) => typeof failure === 'object')).toBe(true);
  });

  test('takes arrays and signals of another frame, and stops when that says so', async () => {
    const outcome = await gpu.page.evaluate(`(async () => {
      const other = document.body.appendChild(document.createElement('iframe')).contentWindow;
      const { openWebgpu } = await import('${gpu.entry}');
      const device = await openWebgpu();
      const data = other.Float32Array.of(1, 0, 0, 1, 0, 2);
      const rows = await device.upload(data, { dim: 2, metric: 'ip', dtype: 'f32' });
      const controller = new other.AbortController();
      const { signal } = controller;
      const query = other.Float32Array.of(0, 1);
      const top = await rows.search(query, { k: 1, filter: { rows: other.Uint32Array.of(0, 1) }, signal });
      const stopped = rows.search(query, { k: 1, signal }).catch((error) => error);
      controller.abort('enough');
      const reason = await stopped;
      await device.close();
      return [[...top.ids], reason, await rows.search(query, { k: 1 }).catch(({ code }) => code)];
    })()`);
    expect(outcome).toEqual([[1], 'enough', 'ERR_CLOSED']);
  });

  test('a lost device fails clearly, at once and later', async () => {
    const failures = await gpu.page.evaluate(async (entry) => {
      const { openWebgpu } = await import(entry);
      const { requestDevice } = GPUAdapter.prototype;
      let lost: GPUDevice;
      GPUAdapter.prototype.requestDevice = async function (...given) {
        lost = await requestDevice.apply(this, given);
        return lost;
      };
      const device = await openWebgpu();
      GPUAdapter.prototype.requestDevice = requestDevice;
      const options = { dim: 4, metric: 'ip', dtype: 'f32' };
      const rows: Rows = await device.upload(
        Float32Array.from({ length: 80000 }, (_, i) => i % 91),
        options,
      );
      const query = Float32Array.of(1, 2, 3, 4);
      const shown = ({ code, message }: SeineError) => `${code} ${message}`;
      const work: (() => Promise<unknown>)[] = [
        () => rows.search(query, { k: 3 }),
        () => rows.append(query),
        () => device.upload(query, options),
      ];
      const searching = work[0]!().then(() => 'answered', shown);
      lost!.destroy();
      await lost!.lost;
      const found = [await searching];
      for (const one of work) found.push(await one().then(() => 'answered', shown));
      await device.close();
      return found;
    }, gpu.entry);
    expect(failures).toHaveLength(4);
    for (const line of failures) expect(line).toMatch(/^ERR_DEVICE_LOST The webgpu device was lost/);
  });

  test('an insecure page is told to be served securely', async () => {
    const context = await gpu.browser.newContext();
    const page = await context.newPage();
    await page.route('**/*', async (route) => {
      const { pathname } = new URL(route.request().url());
      await route.fulfill({ response: await route.fetch({ url: new URL(pathname, gpu.url).href }) });
    });
    await page.goto('http://shop.example/');
    const message = await page.evaluate(async () => {
      const { openWebgpu } = await import('/webgpu.js' as string);
      return openWebgpu().catch(({ code, message }: SeineError) => `${code} ${message}`);
    });
    expect(message).toMatch(
      /^ERR_DEVICE_UNAVAILABLE WebGPU was asked for, but .* https or from localhost\.$/,
    );
    await context.close();
  });
});

suite('seine/webgpu without an adapter', () => {
  test('says what to do', async () => {
    const plain = await openGpuPage({ webgpu: false });
    const message = await plain.page.evaluate(async (entry) => {
      const { openWebgpu } = await import(entry);
      return openWebgpu().catch(({ code, message }: SeineError) => `${code} ${message}`);
    }, plain.entry);
    await plain.close();
    expect(message).toMatch(/^ERR_DEVICE_UNAVAILABLE WebGPU was asked for, but .*(use|switch)/);
  });

  test('is the same in Node.js', async () => {
    const { openWebgpu } = await import(new URL('../../dist/browser/webgpu.js', import.meta.url).href);
    await expect(openWebgpu()).rejects.toMatchObject({
      code: 'ERR_DEVICE_UNAVAILABLE',
      message: expect.stringContaining("openDevice('webgpu')"),
    });
  });
});
