import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { random } from '../../ts/core/random.ts';
import type { Filter } from '../../ts/core/types.ts';
import type { Device } from '../../ts/device/device.ts';
import { openDevice } from '../../ts/device/openDevice.ts';
import { provider } from '../../ts/device/webgpu.ts';

const probe = await provider.probe();
if (!probe.available) console.warn(`Work on WebGPU is not counted here: ${probe.reason}.`);

/** What a search asks of WebGPU. */
const work = { submits: 0, dispatches: 0, bytesWritten: 0, bytesRead: 0 };

/** Counts at WebGPU's own methods, which do their work as before. */
async function count(): Promise<void> {
  const { globals } = await import('webgpu');
  const { GPUQueue, GPUComputePassEncoder, GPUBuffer } = globals as unknown as Record<
    string,
    { prototype: Record<string, (...given: unknown[]) => unknown> }
  >;
  const watch = (of: typeof GPUQueue, method: string, note: (given: unknown[]) => void) => {
    const plain = of!.prototype[method]!;
    of!.prototype[method] = function (...given) {
      note(given);
      return plain.apply(this, given);
    };
  };
  watch(GPUQueue, 'submit', () => work.submits++);
  watch(GPUComputePassEncoder, 'dispatchWorkgroups', () => work.dispatches++);
  watch(GPUQueue, 'writeBuffer', ([, , data]) => {
    work.bytesWritten += (data as Uint32Array).byteLength;
  });
  watch(GPUBuffer, 'mapAsync', ([, , size]) => {
    work.bytesRead += size as number;
  });
}

const suite = probe.available ? describe : describe.skip;

suite('the work of a search', () => {
  const dim = 20;
  const n = 3000;
  let device: Device;
  beforeAll(async () => {
    await count();
    device = await openDevice('webgpu');
  });
  afterAll(() => device?.close());

  async function workOf(data: Float32Array, q: number, k: number, filter?: Filter) {
    const source = random(q);
    const queries = Float32Array.from({ length: q * dim }, () => source.normal());
    await using rows = await device.upload(data, { dim, metric: 'ip', dtype: 'f32' });
    Object.assign(work, { submits: 0, dispatches: 0, bytesWritten: 0, bytesRead: 0 });
    await rows.search(queries, { k, filter });
    return { ...work };
  }

  const source = random(1);
  const ordinary = Float32Array.from({ length: n * dim }, () => source.normal());

  test.each([
    [1, 10],
    [7, 10],
    [8, 100],
    [33, 1],
  ])('is one submit of ten dispatches, and reads k and few more, for %i queries and k = %i', async (q, k) => {
    expect(await workOf(ordinary, q, k)).toEqual({
      submits: 1,
      dispatches: 1 + 4 * 2 + 1,
      bytesWritten: Math.ceil(q / 8) * 8 * dim * 4 + q * 16 + 32,
      bytesRead: 4 * q * (1 + k + Math.ceil(k / 8) + 32),
    });
  });

  test('writes a filter as one bit a row', async () => {
    const plain = await workOf(ordinary, 1, 10);
    const mask = new Uint32Array(Math.ceil(n / 32)).fill(0x77777777);
    expect(await workOf(ordinary, 1, 10, { mask })).toEqual({
      ...plain,
      bytesWritten: plain.bytesWritten + mask.byteLength,
    });
  });

  test('writes few rows as four bytes each', async () => {
    const plain = await workOf(ordinary, 1, 10);
    const rows = Uint32Array.from({ length: 50 }, (_, i) => 59 * i);
    expect(await workOf(ordinary, 1, 10, { rows })).toEqual({
      ...plain,
      bytesWritten: plain.bytesWritten + rows.byteLength,
    });
  });

  test('a second submit copies the other candidates where many are undecided', async () => {
    const tied = 500;
    const sign = Math.sign(random(1).normal()); // of the query's first number, which alone decides
    const data = Float32Array.from({ length: n * dim }, (_, i) => {
      if (i % dim > 0) return 0;
      return sign * (i < tied * dim ? 9 : 8 * source.next());
    });
    expect(await workOf(data, 1, 10)).toEqual({
      submits: 2,
      dispatches: 10,
      bytesWritten: 8 * dim * 4 + 16 + 32,
      bytesRead: 4 * (1 + tied),
    });
  });
});
