import { describe, expect, test } from '@jest/globals';
import { random } from '../../ts/core/random.ts';
import type { TopK } from '../../ts/core/types.ts';
import type { Device } from '../../ts/device/device.ts';
import { chromiumDevices } from '../helpers/chromiumDevice.ts';
import { devices } from '../helpers/devices.ts';
import { numbers } from '../helpers/kinds.ts';
import { openedWithReference } from '../helpers/opened.ts';
import { expectSame } from '../helpers/searchCases.ts';

describe.each([...devices, ...chromiumDevices])('$label', ({ open }) => {
  const opened = openedWithReference(open);

  test('queries of a batch differ in what features weigh for them', async () => {
    const [dim, n, q, k] = [32, 3000, 40, 5];
    const source = random(12);
    const batch = {
      data: numbers(n, dim, 'normal', 5),
      features: Float32Array.from({ length: n }, () => 100 + source.next()),
    };
    const queries = numbers(q, dim, 'normal', 6);
    // For the first queries features weigh most: scores of theirs are far above any of the later ones.
    const weights = Float32Array.from({ length: 2 * q }, (_, i) => (i % 2 === 0 ? 1 : 2 ** -(i >> 3)));
    const search = async (device: Device) => {
      await using rows = await device.upload(batch, { dim, metric: 'ip', dtype: 'f32', features: 1 });
      return rows.search(queries, { k, weights });
    };
    expectSame(await search(opened.device), await search(opened.reference));
  });

  test('searches called together are weighed each by its own weights', async () => {
    const [dim, features, n] = [4, 2, 200];
    const source = random(10);
    const drawn = (count: number) => Float32Array.from({ length: count }, () => source.normal());
    const batch = { data: drawn(n * dim), features: drawn(n * features) };
    await using rows = await opened.device.upload(batch, { dim, metric: 'ip', dtype: 'f32', features });
    const searches = [1, 3, 2, 1].map((q) => ({
      queries: drawn(q * dim),
      weights: drawn(q * (1 + features)),
    }));
    const ask = ({ queries, weights }: (typeof searches)[number]) => rows.search(queries, { k: 5, weights });
    const together = await Promise.all(searches.map(ask));
    const alone: TopK[] = [];
    for (const search of searches) alone.push(await ask(search));
    expect(together).toEqual(alone);
  });
});
