import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { writeOnnx } from '../../ts/graph/onnx.ts';
import { availableProviders, openSession, requireFinite, type Tensor } from '../../ts/models/session.ts';
import { withFolder, writeModel } from './tinyModel.ts';

/** sum = a + b, product = a * b over float32 `[n]`. */
const GRAPH = writeOnnx({
  nodes: [
    { op: 'Add', inputs: ['a', 'b'], outputs: ['sum'] },
    { op: 'Mul', inputs: ['a', 'b'], outputs: ['product'] },
  ],
  initializers: [],
  inputs: ['a', 'b'].map((name) => ({ name, type: 'float32' as const, dims: ['n'] })),
  outputs: ['sum', 'product'].map((name) => ({ name, type: 'float32' as const, dims: ['n'] })),
});
const floats = (...values: number[]): Tensor<'float32'> => ({
  type: 'float32',
  dims: [values.length],
  data: Float32Array.from(values),
});

describe('session', () => {
  test('runs from bytes and from a path, with all outputs, some, or tensors to write into', async () => {
    await withFolder(async (folder) => {
      writeModel(folder, { 'graph.onnx': GRAPH });
      for (const model of [GRAPH, join(folder, 'graph.onnx')]) {
        const session = await openSession(model, { threads: 1 });
        expect(session.inputs.map(({ name, type, dims }) => [name, type, dims])).toEqual([
          ['a', 'float32', ['n']],
          ['b', 'float32', ['n']],
        ]);
        const feeds = { a: floats(1, 2), b: floats(3, 4) };
        const both = await session.run(feeds);
        expect(both.sum).toEqual({ type: 'float32', dims: [2], data: Float32Array.of(4, 6) });
        expect([...both.product!.data]).toEqual([3, 8]);
        expect(Object.keys(await session.run(feeds, { outputs: ['product'] }))).toEqual(['product']);
        const into = floats(0, 0);
        await session.run(feeds, { outputs: { sum: into } });
        expect([...into.data]).toEqual([4, 6]);
        await session.release();
      }
    });
  });

  test('says what does not fit', async () => {
    const session = await openSession(GRAPH);
    await expect(session.run({ a: floats(1) })).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_MODEL', message: expect.stringMatching(/a float32 \[1\]/) }),
    );
    await expect(session.run({ a: floats(1, 2), b: floats(1, 2, 3) })).rejects.toThrow(/failed/);
    await session.release();
    await expect(openSession(GRAPH.subarray(0, 40))).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_MODEL', message: expect.stringMatching(/of 40 bytes/) }),
    );
    await expect(openSession('nowhere.onnx')).rejects.toThrow(/nowhere\.onnx/);
    await expect(openSession(GRAPH, { threads: 0 })).rejects.toThrow(/threads must be/);
    await expect(openSession(GRAPH, { provider: 'tpu' as 'cpu' })).rejects.toThrow(/provider must be/);
  });

  test('a provider that was asked for is used or refused', async () => {
    const providers = await availableProviders();
    expect(providers).toContainEqual({ name: 'cpu', bundled: true });
    for (const { name } of providers) {
      const outcome = await openSession(GRAPH, { provider: name }).then(
        async (session) => {
          const { sum } = await session.run({ a: floats(1), b: floats(2) });
          await session.release();
          return [session.provider, sum!.data[0]];
        },
        (error: { code: string }) => [name, error.code],
      );
      expect([
        [name, 3],
        [name, 'ERR_DEVICE_UNAVAILABLE'],
      ]).toContainEqual(outcome);
      if (name === 'cpu') expect(outcome[1]).toBe(3);
    }
  });

  test('values that are not finite are found', () => {
    requireFinite(Float32Array.of(1, -3e38, 0), 'A row');
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      expect(() => requireFinite(Float32Array.of(1, bad), 'A row')).toThrow(
        expect.objectContaining({ code: 'ERR_MODEL_OUTPUT', message: expect.stringMatching(/index 1/) }),
      );
    }
  });
});
