// Exact search on WebGPU against MatMul and TopK of ONNX Runtime and TensorFlow.js on the same adapter, all in turns; and
// what a search moves. On a machine without a GPU: env $(node scripts/swiftshader.mjs) npm run bench -- webgpu
// npm run bench -- webgpu [--quick] [--json]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dtype } from '../ts/core/types.ts';
import { openDevice } from '../ts/device/openDevice.ts';
import { provider } from '../ts/device/webgpu.ts';
import { QUERIES_PER_PASS } from '../ts/device/webgpuPipelines.ts';
import { readFlags } from './measure/flags.ts';
import { countGpuWork } from './measure/gpuWork.ts';
import { interleaved } from './measure/interleaved.ts';
import { deliver, origin } from './measure/resultFile.ts';
import { type Sample, sample } from './measure/sample.ts';
import { rounded, summary } from './measure/summary.ts';
import { openPeers } from './peers/openPeers.ts';
import type { WebgpuCase, WebgpuResult } from './report/results.ts';
import { drawn } from './scan/data.ts';

const K = 10;
const DIM = 384;

const flags = readFlags();
const probe = await provider.probe();
if (!probe.available) throw new Error(`There is no WebGPU adapter: ${probe.reason}`);
const rows = probe.software ? 20_000 : 500_000;
const batches = flags.quick ? [1, 8] : [1, 8, 64];
const rounds = probe.software ? { rounds: flags.quick ? 2 : 3, seconds: 60 } : { rounds: 7, seconds: 30 };

const { rows: data, queries } = drawn('normal', rows, DIM, Math.max(...batches));
const folder = mkdtempSync(join(tmpdir(), 'seine-webgpu-'));
const peers = await openPeers(['onnxWebgpu', 'tfjsWebgpu']);
const cases: WebgpuCase[] = [];
try {
  const path = join(folder, 'rows.f32');
  writeFileSync(path, data);
  for (const peer of peers.started.values()) await peer.load(path, rows, DIM, 'ip');
  for (const batch of batches) cases.push(await measure(batch));
} finally {
  peers.stop();
  rmSync(folder, { recursive: true });
}
await countWork();
const result: WebgpuResult = {
  ...origin('webgpu', peers.versions),
  note:
    `Milliseconds of a search of ${rows} × ${DIM} random directions by inner product, k = ${K}, on ${probe.details.adapter}` +
    `${probe.software ? ', which imitates a GPU on the processor and says nothing about speed on one' : ''}.`,
  rows,
  dim: DIM,
  k: K,
  software: probe.software,
  queriesPerPass: QUERIES_PER_PASS,
  cases,
};
for (const one of cases) console.error(show(one));
deliver('webgpu', result, flags);

/** Seine over codes and, as float16, over rows; and the peers, whose ids are compared with Seine's. */
async function measure(batch: number): Promise<WebgpuCase> {
  await using device = await openDevice('webgpu');
  await using certified = await device.upload(data, { dim: DIM, metric: 'ip', dtype: 'f32' });
  await using halves = await device.upload(data, { dim: DIM, metric: 'ip', dtype: 'f16' });
  const some = queries.slice(0, batch * DIM);
  const { ids } = await certified.search(some, { k: K });
  const path = join(folder, 'queries.f32');
  writeFileSync(path, some);
  const engines: Record<string, () => Promise<Sample>> = {
    certified: () => sample(() => certified.search(some, { k: K })),
    'float16 rows': () => sample(() => halves.search(some, { k: K })),
  };
  const sameIds: Record<string, number> = {};
  for (const peer of peers.started.values()) {
    for (const name of Object.keys(peer.engines)) {
      engines[name] = async () => {
        const answer = await peer.search(name, path, batch, K);
        sameIds[name] = answer.ids.filter((id, i) => id === ids[i]).length / ids.length;
        return answer;
      };
    }
  }
  const taken = summary('certified', await interleaved(engines, rounds));
  return { batch, ...taken, sameIds, work: {} };
}

/** Adds to each case what its searches move, by kernels that count: in the end, since they are slow. */
async function countWork(): Promise<void> {
  const counter = countGpuWork((await import('webgpu')).globals);
  await using device = await openDevice('webgpu');
  // The counter holds less than 4 GiB.
  const few = data.subarray(0, Math.min(rows, 50_000) * DIM);
  const count = few.length / DIM;
  const widths: [string, Dtype, number][] = [
    ['certified', 'f32', DIM + 12],
    ['float16 rows', 'f16', 2 * DIM + 8],
  ];
  for (const [name, dtype, width] of widths) {
    await using resident = await device.upload(few, { dim: DIM, metric: 'ip', dtype });
    for (const one of cases) {
      const some = queries.subarray(0, one.batch * DIM);
      await resident.search(some, { k: K });
      counter.reset();
      await resident.search(some, { k: K });
      const { submits, dispatches, bytesRead } = counter.work;
      const floor = Math.ceil(one.batch / QUERIES_PER_PASS) * count * width;
      const ofFloor = rounded((await counter.bytesMoved()) / floor);
      one.work[name] = { ofFloor, submits, dispatches, bytesRead };
    }
  }
}

function show({ batch, median, ratio, work }: WebgpuCase): string {
  const ratios = Object.entries(ratio).map(([name, one]) => `${name} ×${one.median}`);
  const moved = Object.entries(work).map(
    ([name, one]) =>
      `${name}: ${one.ofFloor} of the floor, ${one.submits} submits, ${one.bytesRead} bytes back`,
  );
  return `batch ${batch}: ${median.certified!.ms} ms; ${[...ratios, ...moved].join('; ')}`;
}
