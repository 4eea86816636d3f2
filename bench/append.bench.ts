// Rows appended to the cpu device, with codes of the certified scan and without, against copies of the same bytes to memory
// that is there and to new memory.
// npm run bench -- append [--quick] [--json]
import { threadBudget } from '../ts/core/threads.ts';
import { provider } from '../ts/device/cpu.ts';
import type { Device } from '../ts/device/device.ts';
import { native, nativeProblem } from '../ts/device/native.ts';
import { nativeRows } from '../ts/device/nativeRows.ts';
import { OpenedDevice } from '../ts/device/openedDevice.ts';
import { readFlags } from './measure/flags.ts';
import { interleaved } from './measure/interleaved.ts';
import { deliver, origin } from './measure/resultFile.ts';
import { type Sample, sample } from './measure/sample.ts';
import { summary } from './measure/summary.ts';
import type { AppendResult } from './report/results.ts';
import { drawn } from './scan/data.ts';

const DIM = 384;
const flags = readFlags();
const n = flags.quick ? 20_000 : 200_000;
const { rows: values } = drawn('normal', n, DIM, 1);
const addon = native();
if (addon === undefined) throw nativeProblem();
const cpu = await provider.open();
const device = new OpenedDevice(cpu);
const uncoded = new OpenedDevice({
  ...cpu,
  createRows: async (options) => nativeRows(addon, addon.openCpu('', threadBudget(), false), options),
});

const cases: AppendResult['cases'] = [];
for (const chunk of [1000, 10_000, n]) {
  const target = new Float32Array(values.length);
  const samples = await interleaved(
    {
      seine: () => appended(device, chunk),
      'without codes': () => appended(uncoded, chunk),
      copy: () => sample(() => target.set(values)),
      'copy to new memory': () => sample(() => values.slice()),
    },
    { rounds: flags.quick ? 3 : 9, seconds: 30 },
  );
  cases.push({ chunk, ...summary('seine', samples) });
  const { median, ratio } = cases.at(-1)!;
  const ratios = Object.entries(ratio).map(([name, { median: value }]) => `${name} ×${value}`);
  console.error(`chunks of ${chunk}: ${median.seine!.ms} ms; ${ratios.join(', ')}`);
}
await device.close();
const result: AppendResult = {
  ...origin('append'),
  note: `Milliseconds to append ${n} x ${DIM} float32 rows in chunks: checked and copied; with codes of the certified scan unless it says otherwise.`,
  rows: n,
  dim: DIM,
  cases,
};
deliver('append', result, flags);

/** All rows, each chunk once the one before is there. */
async function appended(to: Device, chunk: number): Promise<Sample> {
  await using rows = await to.upload(new Float32Array(), { dim: DIM, metric: 'ip', dtype: 'f32' });
  return await sample(async () => {
    for (let at = 0; at < values.length; at += chunk * DIM) {
      await rows.append(values.subarray(at, at + chunk * DIM));
    }
  });
}
