import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { random } from '../../ts/core/random.ts';
import type { Filter } from '../../ts/core/types.ts';
import type { Device, Rows } from '../../ts/device/device.ts';
import { openDevice } from '../../ts/device/openDevice.ts';
import { OpenedDevice } from '../../ts/device/openedDevice.ts';
import { provider } from '../../ts/device/webgpu.ts';
import { openWebgpuDevice } from '../../ts/device/webgpuDevice.ts';
import { kernelCode } from '../helpers/kernelCode.ts';
import { naiveSearch } from '../helpers/naiveSearch.ts';

const probe = await provider.probe();
if (!probe.available) console.warn(`Errors of WebGPU are not tested: ${probe.reason}.`);
const suite = probe.available ? describe : describe.skip;

type Prototype = Record<string, (this: unknown, ...given: never[]) => unknown>;
const classes = (await import('webgpu')).globals as unknown as Record<string, { prototype: Prototype }>;

const dim = 32;
const source = random(3);
const draw = (count: number) => Float32Array.from({ length: count * dim }, () => source.normal());
const data = draw(6000);
const cities = Array.from({ length: 6000 }, (_, id) => ['Oslo', 'Rome', 'Bern'][id % 3]!);
const options = {
  dim,
  metric: 'ip' as const,
  dtype: 'f32' as const,
  attributes: { city: 'keyword' as const },
};
const inRome = { where: { eq: ['city', 'Rome'] } } satisfies Filter;

/** Every kind of work on rows and their device, by name. */
const works = (device: Device, rows: Rows): Record<string, () => Promise<unknown>> => ({
  search: () => rows.search(data.slice(0, dim), { k: 5 }),
  'search of a batch': () => rows.search(data.slice(0, 9 * dim), { k: 40 }),
  'search of all keys': () => rows.search(data.slice(0, dim), { k: 900 }),
  'search with a filter': () => rows.search(data.slice(0, dim), { k: 5, filter: inRome }),
  rescore: () => rows.rescore(data.slice(0, dim), { queries: Uint32Array.of(0), rows: Uint32Array.of(7) }),
  append: () => rows.append({ data: data.slice(0, 6000 * dim), attributes: { city: cities } }),
  upload: () => device.upload(data, { ...options, attributes: {} }),
  select: () => device.select(data, { n: dim * 6000, k: 3, order: 'highest' }),
});

const restores: (() => void)[] = [];
afterEach(() => {
  for (const restore of restores.splice(0)) restore();
});

/** Puts `change` in the place of a method of WebGPU until the test ends. */
function replace(
  name: string,
  method: string,
  change: (plain: Prototype[string]) => Prototype[string],
): void {
  const { prototype } = classes[name]!;
  const plain = prototype[method]!;
  restores.push(() => {
    prototype[method] = plain;
  });
  prototype[method] = change(plain);
}

suite('a device that is lost', () => {
  async function opened(): Promise<{ device: Device; rows: Rows; gpu: GPUDevice }> {
    let gpu: GPUDevice | undefined;
    replace('GPUAdapter', 'requestDevice', (plain) => {
      return async function (...given) {
        gpu = (await plain.apply(this, given)) as GPUDevice;
        return gpu;
      };
    });
    const device = await openDevice('webgpu');
    const rows = await device.upload({ data, attributes: { city: cities } }, options);
    return { device, rows, gpu: gpu! };
  }

  test('fails all that is under way, and all that is asked later, with one code', async () => {
    const { device, rows, gpu } = await opened();
    const outcome = (work: Promise<unknown>) =>
      work.then(
        () => 'answered',
        ({ code, message }) => `${code} ${message}`,
      );
    const during = Object.values(works(device, rows)).map((work) => outcome(work()));
    await new Promise((resolve) => setTimeout(resolve, 1));
    gpu.destroy();
    for (const one of await Promise.all(during))
      expect(one).toMatch(/^answered$|^ERR_DEVICE_LOST The webgpu device was lost /);
    for (const [name, work] of Object.entries(works(device, rows))) {
      expect([name, await outcome(work())]).toEqual([
        name,
        expect.stringMatching(
          /^ERR_DEVICE_LOST The webgpu device was lost .*: close it and open it again\.$/,
        ),
      ]);
    }
    await device.close();
    await using again = await openDevice('webgpu');
    await using anew = await again.upload(data, { ...options, attributes: {} });
    const { ids } = await anew.search(data.slice(0, dim), { k: 5 });
    expect([...ids]).toEqual(naiveSearch(data, data.slice(0, dim), dim, 'ip', 5).ids);
  });
});

suite('a device without room', () => {
  let device: Device;
  let rows: Rows;
  beforeAll(async () => {
    device = await openDevice('webgpu');
    rows = await device.upload({ data, attributes: { city: cities } }, options);
  });
  afterAll(() => device?.close());

  test.each(['search', 'search of a batch', 'rescore', 'append', 'upload', 'select'])(
    '%s says so, and works once there is room',
    async (name) => {
      // New pools, since idle buffers would do.
      await using fresh = await device.upload({ data, attributes: { city: cities } }, options);
      const before = [fresh.count, fresh.generation, fresh.bytes];
      let full = true;
      replace('GPUDevice', 'createBuffer', (plain) => {
        return function (descriptor: { size: number }) {
          const size = full ? 2 ** 50 : descriptor.size;
          return plain.call(this, { ...descriptor, size } as never);
        } as Prototype[string];
      });
      const ask = works(device, fresh)[name]!;
      await expect(ask()).rejects.toMatchObject({
        code: 'ERR_OUT_OF_MEMORY',
        message: expect.stringMatching(
          /^The webgpu device has no room for a buffer of \d+ bytes .*: keep fewer rows/,
        ),
      });
      expect([fresh.count, fresh.generation, fresh.bytes]).toEqual(before);
      full = false;
      await ask();
    },
  );

  test('goes on answering', async () => {
    const { ids } = await rows.search(data.slice(0, dim), { k: 5 });
    expect([...ids]).toEqual(naiveSearch(data, data.slice(0, dim), dim, 'ip', 5).ids);
  });
});

suite('an adapter of narrow limits', () => {
  test.each([2 ** 12, 2 ** 14, 2 ** 17])(
    'that binds %i bytes finds the same, or says what does not fit',
    async (bytes) => {
      const gpu = (await import('webgpu')).create([]); // Dawn crashes if it is collected before its device
      const adapter = (await gpu.requestAdapter())!;
      const limits = { maxStorageBufferBindingSize: bytes, maxBufferSize: bytes };
      const narrow = {
        info: adapter.info,
        limits,
        features: adapter.features,
        requestDevice: ({ requiredFeatures = [] }: GPUDeviceDescriptor) =>
          adapter.requestDevice({ requiredFeatures }),
      } as unknown as GPUAdapter;
      const language = gpu.wgslLanguageFeatures;
      await using device = new OpenedDevice(await openWebgpuDevice(narrow, { code: kernelCode, language }));
      const withCities = device.upload({ data, attributes: { city: cities } }, options);
      const fits = bytes >= 4 * cities.length;
      if (!fits) {
        await expect(withCities).rejects.toMatchObject({
          code: 'ERR_OUT_OF_MEMORY',
          message: expect.stringMatching(
            /^A column of 24000 bytes is more than the \d+ that the webgpu device binds/,
          ),
        });
      }
      await using rows = fits ? await withCities : await device.upload(data, { ...options, attributes: {} });
      for (const [q, k] of [
        [1, 5],
        [20, 10],
        [3, 300],
        [1, 900],
      ] as const) {
        const asked = data.slice(0, q * dim);
        const { ids, scores } = await rows.search(asked, { k });
        const right = naiveSearch(data, asked, dim, 'ip', k);
        expect([q, k, [...ids], [...scores]]).toEqual([q, k, right.ids, right.scores]);
      }
      const scores = data.subarray(0, 6000);
      const top = await device.select(scores, { n: 6000, k: 7, order: 'highest' });
      expect([...top.ids]).toEqual([...scores.keys()].sort((a, b) => scores[b]! - scores[a]!).slice(0, 7));
      const query = data.slice(0, dim);
      if (fits) {
        const { ids } = await rows.search(query, { k: 5, filter: inRome });
        expect([...ids]).toEqual(naiveSearch(data, query, dim, 'ip', 5, (id) => cities[id] === 'Rome').ids);
      }
      const pairs = { queries: Uint32Array.of(0, 63), rows: Uint32Array.of(7, 5999) };
      const rescored = await rows.rescore(data.slice(0, 64 * dim), pairs);
      expect([...rescored].map(Number.isFinite)).toEqual([true, true]);
    },
  );
});
