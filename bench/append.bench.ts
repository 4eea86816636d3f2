// Rows appended to the cpu device against a copy of the same bytes in memory.
// npm run bench -- append [--quick] [--json]
import { openDevice } from '../ts/device/openDevice.ts';
import { readFlags } from './measure/flags.ts';
import { interleaved } from './measure/interleaved.ts';
import { deliver, origin } from './measure/resultFile.ts';
import { sample } from './measure/sample.ts';
import { summary } from './measure/summary.ts';
import type { AppendResult } from './report/results.ts';
import { drawn } from './scan/data.ts';

const DIM = 384;
const flags = readFlags();
const n = flags.quick ? 20_000 : 200_000;
const { rows: values } = drawn('normal', n, DIM, 1);
const device = await openDevice('cpu');

const cases: AppendResult['cases'] = [];
for (const chunk of [1000, 10_000, n]) {
  const target = new Float32Array(values.length);
  const samples = await interleaved(
    {
      async seine() {
        await using rows = await device.upload(new Float32Array(), { dim: DIM, metric: 'ip', dtype: 'f32' });
        return await sample(async () => {
          for (let at = 0; at < values.length; at += chunk * DIM) {
            await rows.append(values.subarray(at, at + chunk * DIM));
          }
        });
      },
      copy: () => sample(() => target.set(values)),
    },
    { rounds: flags.quick ? 3 : 9, seconds: 30 },
  );
  cases.push({ chunk, ...summary('seine', samples) });
  const { median, ratio } = cases.at(-1)!;
  console.error(`chunks of ${chunk}: ${median.seine!.ms} ms; copy ×${ratio.copy!.median}`);
}
await device.close();
const result: AppendResult = {
  ...origin('append'),
  note: `Milliseconds to append ${n} x ${DIM} float32 rows in chunks: checked, copied, with codes of the certified scan.`,
  rows: n,
  dim: DIM,
  cases,
};
deliver('append', result, flags);
