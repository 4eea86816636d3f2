import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { random } from '../../ts/core/random.ts';
import type { SearchOptions } from '../../ts/core/types.ts';
import type { Device, Rows, UploadOptions } from '../../ts/device/device.ts';
import { devices } from '../helpers/devices.ts';

const source = random(99);
const numbers = (count: number) => Float32Array.from({ length: count }, () => source.normal());
const failsWith = (code: string, text: string) => ({ code, message: expect.stringContaining(text) });

describe.each(devices)('$label', ({ open }) => {
  let device: Device;
  let rows: Rows;
  beforeAll(async () => {
    device = await open();
    rows = await device.upload(numbers(40 * 4), { dim: 4, metric: 'cosine', dtype: 'f32' });
  });
  afterAll(() => device.close());

  test.each<[string, string, object]>([
    ['ERR_ARGUMENT', 'dim must be a whole number', { dim: 0 }],
    ['ERR_ARGUMENT', 'dim must be a whole number', { dim: 2.5 }],
    ['ERR_ARGUMENT', "'ip', 'cosine', 'l2'", { metric: 'dot' }],
    ['ERR_ARGUMENT', "'f32', 'f16', 'bf16', 'int8', 'binary'", { dtype: 'int4' }],
    ['ERR_ARGUMENT', "metric 'hamming' goes with dtype 'binary'", { metric: 'hamming' }],
    ['ERR_ARGUMENT', "metric 'ip' with dtype 'binary'", { dtype: 'binary' }],
    ['ERR_ARGUMENT', 'unknown key "metrik"', { metrik: 'ip' }],
    ['ERR_DIMENSION', 'whole rows of 3', { dim: 3 }],
  ])('upload options that are wrong: %s, %s', async (code, text, wrong) => {
    const options = { dim: 4, metric: 'ip', dtype: 'f32', ...wrong } as UploadOptions;
    await expect(device.upload(numbers(8), options)).rejects.toMatchObject(failsWith(code, text));
  });

  test('upload refuses what is not a matrix', async () => {
    const options: UploadOptions = { dim: 2, metric: 'ip', dtype: 'f32' };
    for (const data of [[1, 2], new Float64Array(2), undefined, 'ab', new ArrayBuffer(8)]) {
      const upload = device.upload(data as unknown as Float32Array, options);
      await expect(upload).rejects.toMatchObject(failsWith('ERR_ARGUMENT', 'data must be a Float32Array'));
    }
  });

  test.each<[string, string, object]>([
    ['ERR_ARGUMENT', 'k must be a whole number', { k: 0 }],
    ['ERR_ARGUMENT', 'k must be a whole number', { k: -1 }],
    ['ERR_ARGUMENT', 'k must be a whole number', { k: 1.5 }],
    ['ERR_ARGUMENT', 'k must be a whole number', { k: 2 ** 32 - 1 }],
    ['ERR_ARGUMENT', 'k must be a whole number', { k: '3' }],
    ['ERR_ARGUMENT', 'k must be a whole number', {}],
    ['ERR_ARGUMENT', 'unknown key "nprobe"', { k: 1, nprobe: 4 }],
    ['ERR_ARGUMENT', 'exactly one of mask, rows and where', { k: 1, filter: {} }],
    [
      'ERR_ARGUMENT',
      'exactly one of mask, rows and where',
      { k: 1, filter: { mask: new Uint32Array(2), rows: new Uint32Array(1) } },
    ],
    ['ERR_ARGUMENT', 'filter must be an object', { k: 1, filter: new Uint32Array(2) }],
    ['ERR_ARGUMENT', 'filter.mask must be a Uint32Array', { k: 1, filter: { mask: new Uint8Array(8) } }],
    ['ERR_ARGUMENT', 'takes 2 words, got 1', { k: 1, filter: { mask: new Uint32Array(1) } }],
    ['ERR_ARGUMENT', 'filter.rows[1] is 40', { k: 1, filter: { rows: Uint32Array.of(3, 40) } }],
    ['ERR_ARGUMENT', 'signal must be an AbortSignal', { k: 1, signal: true }],
  ])('search options that are wrong: %s, %s', async (code, text, options) => {
    await expect(rows.search(numbers(4), options as SearchOptions)).rejects.toMatchObject(
      failsWith(code, text),
    );
  });

  test('queries and ids that are wrong', async () => {
    await expect(rows.search(numbers(6), { k: 1 })).rejects.toMatchObject(
      failsWith('ERR_DIMENSION', '2 too many'),
    );
    const bad = Float32Array.of(1, 2, 3, 4, 5, 6, Number.POSITIVE_INFINITY, 8);
    await expect(rows.search(bad, { k: 1 })).rejects.toMatchObject(
      failsWith('ERR_NOT_FINITE', 'Infinity at row 1, column 2 (index 6)'),
    );
    await expect(rows.remove([1.5])).rejects.toMatchObject(failsWith('ERR_ARGUMENT', 'ids[0]'));
    await expect(rows.remove(3 as unknown as number[])).rejects.toMatchObject(
      failsWith('ERR_ARGUMENT', 'ids must be'),
    );
    await expect(rows.append([1] as unknown as Float32Array)).rejects.toMatchObject(
      failsWith('ERR_ARGUMENT', 'Float32Array'),
    );
  });

  test('views are honoured, and buffers may be reused or detached right after the call', async () => {
    const all = numbers(3 + 6 * 4);
    const view = all.subarray(3);
    const plain = view.slice();
    await using ours = await device.upload(plain, { dim: 4, metric: 'ip', dtype: 'f32' });
    const expected = await ours.search(plain.slice(4, 8), { k: 6 });

    const uploading = device.upload(view, { dim: 4, metric: 'ip', dtype: 'f32' });
    structuredClone(all.buffer, { transfer: [all.buffer] });
    await using viewed = await uploading;
    const shifted = new Float32Array(9);
    shifted.set(plain.slice(4, 8), 5);
    const mask = Uint32Array.of(0xffffffff);
    const searching = viewed.search(shifted.subarray(5), { k: 6, filter: { mask } });
    shifted.fill(Number.NaN);
    mask.fill(0);
    expect(await searching).toEqual(expected);
  });

  test('detached and resizable buffers are refused', async () => {
    const gone = numbers(4);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    await expect(rows.search(gone, { k: 1 })).rejects.toMatchObject(failsWith('ERR_ARGUMENT', 'detached'));
    const Resizable = ArrayBuffer as unknown as new (
      size: number,
      options: { maxByteLength: number },
    ) => ArrayBuffer;
    const loose = new Float32Array(new Resizable(16, { maxByteLength: 32 }));
    await expect(rows.append(loose)).rejects.toMatchObject(failsWith('ERR_ARGUMENT', 'resizable'));
  });

  test('no queries, no rows', async () => {
    const none = await rows.search(new Float32Array(0), { k: 3 });
    expect(none).toMatchObject({ k: 3, ids: new Uint32Array(0), scores: new Float32Array(0) });
    await using empty = await device.upload(new Float32Array(0), { dim: 4, metric: 'l2', dtype: 'f32' });
    const top = await empty.search(numbers(8), { k: 2 });
    expect(top).toMatchObject({ counts: Uint32Array.of(0, 0), ids: new Uint32Array(4).fill(0xffffffff) });
    expect(Array.from(top.scores)).toEqual(new Array(4).fill(Number.POSITIVE_INFINITY));
  });

  test('an aborted search rejects with the reason of its signal', async () => {
    const reason = new Error('enough');
    await expect(rows.search(numbers(4), { k: 1, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await using many = await device.upload(numbers(3000 * 16), { dim: 16, metric: 'ip', dtype: 'f32' });
    const controller = new AbortController();
    const searching = many.search(numbers(16 * 40), { k: 100, signal: controller.signal });
    controller.abort(reason);
    await expect(searching).rejects.toBe(reason);
    const done = await many.search(numbers(16), { k: 1, signal: new AbortController().signal });
    expect(done.counts[0]).toBe(1);
  });

  test('an upload whose source fails leaves nothing behind', async () => {
    const failure = new Error('disk gone');
    const returned: string[] = [];
    async function* source() {
      try {
        yield numbers(8);
        yield Float32Array.of(1, 2, 3, Number.NaN);
      } finally {
        returned.push('closed');
      }
    }
    async function* broken() {
      yield numbers(8);
      throw failure;
    }
    const options: UploadOptions = { dim: 2, metric: 'ip', dtype: 'f32' };
    await expect(device.upload(source(), options)).rejects.toMatchObject(
      failsWith('ERR_NOT_FINITE', 'row 5, column 1 (index 11)'),
    );
    expect(returned).toEqual(['closed']);
    await expect(device.upload(broken(), options)).rejects.toBe(failure);
  });

  test('dispose and close wait for searches under way, then everything is refused', async () => {
    const own = await open();
    const first = await own.upload(numbers(2000 * 8), { dim: 8, metric: 'l2', dtype: 'f32' });
    const second = await own.upload(numbers(2000 * 8), { dim: 8, metric: 'l2', dtype: 'f32' });
    const order: string[] = [];
    const searching = first
      .search(numbers(8 * 20), { k: 50 })
      .then((top) => order.push(`searched ${top.counts[0]}`));
    const disposing = first.dispose().then(() => order.push('disposed'));
    await expect(first.search(numbers(8), { k: 1 })).rejects.toMatchObject(
      failsWith('ERR_CLOSED', 'disposed'),
    );
    await expect(first.append(numbers(8))).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await expect(first.remove([1])).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await Promise.all([searching, disposing, first.dispose()]);
    expect(order).toEqual(['searched 50', 'disposed']);

    const last = second.search(numbers(8 * 20), { k: 50 }).then(() => order.push('searched again'));
    const closing = own.close().then(() => order.push('closed'));
    await Promise.all([last, closing, own.close()]);
    expect(order.slice(2)).toEqual(['searched again', 'closed']);
    await expect(second.search(numbers(8), { k: 1 })).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    await expect(own.upload(numbers(8), { dim: 8, metric: 'l2', dtype: 'f32' })).rejects.toMatchObject(
      failsWith('ERR_CLOSED', 'is closed'),
    );
  });

  test('a close in the middle of an upload ends it', async () => {
    const own = await open();
    const started = Promise.resolve();
    async function* endless() {
      for (;;) {
        await started;
        yield numbers(64);
      }
    }
    const uploading = own.upload(endless(), { dim: 8, metric: 'ip', dtype: 'f32' });
    await started;
    await Promise.all([expect(uploading).rejects.toMatchObject({ code: 'ERR_CLOSED' }), own.close()]);
  });

  test('a result too large for memory is refused with its size', async () => {
    await expect(rows.search(numbers(4), { k: 2 ** 32 - 2 })).rejects.toMatchObject(
      failsWith('ERR_OUT_OF_MEMORY', '34359738352 bytes'),
    );
  });
});
