import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { random } from '../../ts/core/random.ts';
import { openCheckpoint } from '../../ts/graph/checkpoint.ts';
import { poolStates, unitLength } from '../../ts/graph/sentenceEmbedding.ts';
import { TrainableTransformer } from '../../ts/graph/trainableTransformer.ts';
import type { Tensor } from '../../ts/models/session.ts';
import { type Batch, Gradients } from '../../ts/train/gradients.ts';
import { writeTinyBert } from '../offline/train/tinyBert.ts';

const folder = mkdtempSync(join(tmpdir(), 'seine-gradients-'));
afterAll(() => rmSync(folder, { recursive: true }));

const ROWS = 3;
const model = new TrainableTransformer(
  openCheckpoint(await writeTinyBert(folder)),
  ({ net }, _, { mask }, states) => unitLength(net, poolStates(net, states, mask, 'mean')),
);
const { values } = model.initial(random(1));
const directions = Float32Array.from({ length: ROWS * 32 }, (_, i) => Math.sin(i));

const open = (dropout = 0): Gradients =>
  new Gradients(
    {
      layout: model.layout,
      loss(net, parameters) {
        const vectors = model.apply(net, parameters, model.inputs(net, 'text', [ROWS, 'length']));
        const towards = net.graph.weights('directions', [ROWS, 32], directions);
        return net.total(net.mul(vectors, towards));
      },
      dropout: { rate: dropout, seed: 4 },
      threads: 1,
    },
    values,
  );

/** Texts of these numbers of tokens, padded to a length. */
function batchOf(lengths: readonly number[], padded: number): Batch {
  const tensor = (value: (token: number, row: number) => number): Tensor => ({
    type: 'int64',
    dims: [ROWS, padded],
    data: BigInt64Array.from({ length: ROWS * padded }, (_, i) => {
      const [row, token] = [Math.floor(i / padded), i % padded];
      return BigInt(token < lengths[row]! ? value(token, row) : 0);
    }),
  });
  return {
    'text.ids': tensor((token, row) => 5 + ((7 * token + 3 * row) % 20)),
    'text.mask': tensor(() => 1),
    'text.types': tensor(() => 0),
  };
}

const apart = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);

test('one graph takes batches of any length, and padding changes no gradient', async () => {
  const shared = open();
  const length = fc.integer({ min: 1, max: 20 });
  await fc.assert(
    fc.asyncProperty(fc.tuple(length, length, length), fc.nat(12), async (lengths, padding) => {
      const longest = Math.max(...lengths);
      const plain = await shared.of(1, [batchOf(lengths, longest)]);
      const gradient = plain.gradient.slice();
      const padded = await shared.of(1, [batchOf(lengths, longest + padding)]);
      expect(Math.abs(padded.loss - plain.loss)).toBeLessThan(1e-5);
      expect(apart(padded.gradient, gradient)).toBeLessThan(1e-5);
      const alone = open();
      const fresh = await alone.of(1, [batchOf(lengths, longest)]);
      expect(Math.abs(fresh.loss - plain.loss)).toBeLessThan(1e-6);
      expect(apart(fresh.gradient, gradient)).toBeLessThan(1e-6);
      await alone.release();
    }),
    { numRuns: 20 },
  );
  await shared.release();
});

test('dropout follows the lengths of a batch', async () => {
  const [dropping, whole] = [open(0.3), open()];
  for (const length of [4, 9, 4]) {
    const batch = batchOf([length, 2, 3], length);
    const [first, again] = [await dropping.of(length, [batch]), await dropping.of(length, [batch])];
    expect(again.loss).toBe(first.loss);
    expect(Math.abs(first.loss - (await whole.of(length, [batch])).loss)).toBeGreaterThan(1e-3);
  }
  await Promise.all([dropping.release(), whole.release()]);
});
