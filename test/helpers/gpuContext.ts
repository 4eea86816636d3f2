import { afterAll, beforeAll, describe } from '@jest/globals';
import { provider } from '../../ts/device/webgpu.ts';
import type { GpuContext } from '../../ts/device/webgpuContext.ts';
import { filterPipelines, rescorePipelines, scanPipelines } from '../../ts/device/webgpuPipelines.ts';
import { kernelCode } from './kernelCode.ts';

const { available, reason, details } = await provider.probe();

/** What kernels that use subgroups are tested with: without them, and with them where the adapter has them. */
export const FEATURE_SETS: readonly 'subgroups'[][] = (details.features as string[])?.includes('subgroups')
  ? [[], ['subgroups']]
  : [[]];

/** Tests of what runs below a device of WebGPU; skipped, with a line that says so, where there is no adapter. */
export function describeOnGpu(
  name: string,
  tests: (context: () => GpuContext) => void,
  requiredFeatures: readonly 'subgroups'[] = [],
): void {
  if (!available) console.warn(`On WebGPU, ${name} is not tested: ${reason}.`);
  (available ? describe : describe.skip)(name, () => {
    let gpu: GPU; // Dawn crashes if it is collected before its device
    let context: GpuContext;
    beforeAll(async () => {
      gpu = (await import('webgpu')).create([]);
      const device = await (await gpu.requestAdapter())!.requestDevice({ requiredFeatures });
      context = {
        device,
        scanning: scanPipelines(device, kernelCode, true),
        rescoring: rescorePipelines(device, kernelCode),
        filtering: filterPipelines(device, kernelCode),
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
