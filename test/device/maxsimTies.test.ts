import { describe, test } from '@jest/globals';
import { random } from '../../ts/core/random.ts';
import type { Device } from '../../ts/device/device.ts';
import { chromiumDevices } from '../helpers/chromiumDevice.ts';
import { devices } from '../helpers/devices.ts';
import { openedWithReference } from '../helpers/opened.ts';
import { expectSame } from '../helpers/searchCases.ts';

const DIM = 100;

// Products that are told apart, or not, by their exact sums alone.
describe.each([...devices, ...chromiumDevices])('$label', ({ open, pace }) => {
  const opened = openedWithReference(open);

  /** Searches `n` documents of as many tokens each, by `q` queries likewise, on the device and on the reference. */
  async function expectAlike(data: Float32Array, n: number, queries: Float32Array, q: number): Promise<void> {
    const every = (values: Float32Array, items: number) =>
      Uint32Array.from({ length: items + 1 }, (_, i) => (i * values.length) / DIM / items);
    const search = async (device: Device) => {
      const options = { dim: DIM, metric: 'ip', dtype: 'f32', maxsim: true } as const;
      await using rows = await device.upload({ data, offsets: every(data, n) }, options);
      return rows.search(queries, { k: 25, offsets: every(queries, q) });
    };
    expectSame(await search(opened.device), await search(opened.reference));
  }

  test('near ties among tokens of very different lengths', async () => {
    const [q, each] = [3, 3];
    const n = Math.round(3000 * pace * pace);
    for (let seed = 0; seed < 4 * pace; seed++) {
      const source = random(seed);
      const first = Float32Array.from({ length: DIM }, () => source.normal());
      /** The first token of a document or query is short. */
      const length = (i: number) => (Math.floor(i / DIM) % each === 0 ? 2 ** -14 : 1);
      const data = Float32Array.from(
        { length: n * each * DIM },
        (_, i) => first[i % DIM]! * length(i) * (1 + source.below(3) * 2 ** -23),
      );
      const queries = Float32Array.from({ length: q * each * DIM }, (_, i) => source.normal() * length(i));
      await expectAlike(data, n, queries, q);
    }
  });

  test('ties of tokens whose numbers stand in other orders, so that each sum is rounded in its own way', async () => {
    const [n, each] = [300, 3];
    for (let seed = 0; seed < 4; seed++) {
      const source = random(seed);
      const numbers = Array.from({ length: DIM }, () => source.normal());
      // A bound that looks at the first token alone, which is short, is too narrow.
      const tokens = Array.from({ length: n * each }, (_, token) =>
        source.shuffle([...numbers]).map((number) => number * (token % each === 0 ? 2 ** -14 : 1)),
      );
      await expectAlike(Float32Array.from(tokens.flat()), n, new Float32Array(DIM).fill(1), 1);
    }
  });

  test('a product whose float32 sum overflows on the way may be the best', async () => {
    const n = 100;
    // Far more than the bound of the one that overflows.
    const data = Float32Array.from({ length: 2 * n * DIM }, (_, i) => 1e15 * (1 + Math.sin(i) / 8));
    data.fill(0, 16 * DIM, 18 * DIM);
    data.set([-2e19, -2e19, 2e19, 2.2e19], 17 * DIM);
    await expectAlike(data, n, new Float32Array(DIM).fill(1e19), 1);
  });

  test('the last numbers of a token count', async () => {
    const [n, dim] = [200, 64];
    // Without the last ones others are the best.
    const data = Float32Array.from({ length: n * dim }, (_, i) =>
      i % dim === dim - 1 ? Math.sin(i) : i % dim === 0 ? Math.cos(i) / 10 : 0,
    );
    const offsets = Uint32Array.from({ length: n + 1 }, (_, i) => i);
    const search = async (device: Device) => {
      await using rows = await device.upload(
        { data, offsets },
        { dim, metric: 'ip', dtype: 'f32', maxsim: true },
      );
      return rows.search(new Float32Array(dim).fill(1), { k: 10, offsets: Uint32Array.of(0, 1) });
    };
    expectSame(await search(opened.device), await search(opened.reference));
  });

  test('ties whose bounds are those of the last tokens of long queries', async () => {
    const [n, tokens] = [300, 66];
    for (let seed = 0; seed < 2; seed++) {
      const source = random(seed);
      // The sum is small beside the numbers: float32 sums of them in other orders are far apart.
      const half = Array.from({ length: DIM / 2 }, () => source.normal());
      const numbers = [...half, ...half.map((number) => -number * (1 + 2 ** -10))];
      const data = Array.from({ length: n }, () => source.shuffle([...numbers]));
      const queries = Float32Array.from({ length: tokens * DIM }, (_, i) => (i < 64 * DIM ? 2 ** -30 : 1));
      await expectAlike(Float32Array.from(data.flat()), n, queries, 1);
    }
  });
});
