import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe } from '@jest/globals';
import { provider } from '../../ts/device/webgpu.ts';
import { createPipelines, filterPipelines, rescorePipelines } from '../../ts/device/webgpuPipelines.ts';
import type { GpuContext } from '../../ts/device/webgpuSearch.ts';

const { available, reason } = await provider.probe();

/** Tests of what runs below a device of WebGPU; skipped, with a line that says so, where there is no adapter. */
export function describeOnGpu(name: string, tests: (context: () => GpuContext) => void): void {
  if (!available) console.warn(`On WebGPU, ${name} is not tested: ${reason}.`);
  (available ? describe : describe.skip)(name, () => {
    let gpu: GPU; // Dawn crashes if it is collected before its device
    let context: GpuContext;
    beforeAll(async () => {
      gpu = (await import('webgpu')).create([]);
      const device = await (await gpu.requestAdapter())!.requestDevice();
      const code = (kernel: string) =>
        readFileSync(new URL(`../../kernels/${kernel}.wgsl`, import.meta.url), 'utf8');
      context = {
        device,
        pipelines: createPipelines(device, code('scan')),
        rescoring: rescorePipelines(device, code('rescore')),
        filtering: filterPipelines(device, code('filter')),
        maxBinding: device.limits.maxStorageBufferBindingSize,
        maxShardBytes: device.limits.maxStorageBufferBindingSize,
        checkAlive: () => {},
      };
    });
    afterAll(async () => {
      context.device.destroy();
      await context.device.lost;
    });
    tests(() => context);
  });
}
