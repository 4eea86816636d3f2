import { describe, test } from '@jest/globals';
import type { Dtype, Metric } from '../../ts/core/types.ts';
import type { Device } from '../../ts/device/device.ts';
import { chromiumDevices } from '../helpers/chromiumDevice.ts';
import { devices } from '../helpers/devices.ts';
import { SEED } from '../helpers/effort.ts';
import { numbers, queriesFor } from '../helpers/kinds.ts';
import { openedWithReference } from '../helpers/opened.ts';
import { expectSame } from '../helpers/searchCases.ts';

/** So many that a device may score a sample first, and leave out what certainly is not among the k best. */
const [UPLOADED, APPENDED] = [4400, 777];
const COUNT = UPLOADED + APPENDED;

interface Form {
  metric: Metric;
  dtype: Dtype;
  /** From 16 on rows of float32 have codes. */
  dim: number;
  kind: string;
}

const FORMS: Form[] = [
  { metric: 'ip', dtype: 'f32', dim: 6, kind: 'winners in one tile' },
  { metric: 'cosine', dtype: 'f32', dim: 16, kind: 'normal' },
  { metric: 'l2', dtype: 'f32', dim: 17, kind: 'few values' },
  { metric: 'ip', dtype: 'int8', dim: 9, kind: 'normal' },
  // Distances are few whole numbers: many rows are as far as the k-th.
  { metric: 'hamming', dtype: 'binary', dim: 20, kind: 'normal' },
];

/** With every row but each eleventh. */
const MASK = Uint32Array.from({ length: Math.ceil(COUNT / 32) }, (_, word) =>
  Array.from({ length: 32 }, (_, bit) => word * 32 + bit)
    .filter((row) => row < COUNT && row % 11 !== 0)
    .reduce((bits, row) => (bits | (1 << (row % 32))) >>> 0, 0),
);

/** What is found with no filter and with one, by one query and by nine. */
async function play(device: Device, { metric, dtype, dim, kind }: Form) {
  await using rows = await device.upload(numbers(UPLOADED, dim, kind, SEED), { dim, metric, dtype });
  await rows.append(numbers(APPENDED, dim, kind, SEED + 1));
  const queries = numbers(9, dim, queriesFor(kind), SEED + 2);
  return [
    await rows.search(queries, { k: 7 }),
    await rows.search(queries, { k: 16, filter: { mask: MASK } }),
    await rows.search(queries.subarray(dim, 2 * dim), { k: 1 }),
  ];
}

describe.each([...devices, ...chromiumDevices])('$label', ({ open }) => {
  const opened = openedWithReference(open);

  test.each(FORMS)(
    `$metric over $dtype of dimension $dim (seed ${SEED})`,
    async (form) => {
      const right = await play(opened.reference, form);
      for (const [i, top] of (await play(opened.device, form)).entries()) expectSame(top, right[i]!);
    },
    120_000,
  );
});
