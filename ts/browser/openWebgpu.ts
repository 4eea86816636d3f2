import certify from '../../kernels/certify.wgsl';
import dotPacked from '../../kernels/dotPacked.wgsl';
import dotUnpacked from '../../kernels/dotUnpacked.wgsl';
import filter from '../../kernels/filter.wgsl';
import merge from '../../kernels/merge.wgsl';
import rescore from '../../kernels/rescore.wgsl';
import rows from '../../kernels/rows.wgsl';
import scan from '../../kernels/scan.wgsl';
import scanGrid from '../../kernels/scanGrid.wgsl';
import scanKeys from '../../kernels/scanKeys.wgsl';
import select from '../../kernels/select.wgsl';
import sumAlone from '../../kernels/sumAlone.wgsl';
import sumSubgroup from '../../kernels/sumSubgroup.wgsl';
import { SeineError } from '../core/errors.ts';
import type { Device } from '../device/device.ts';
import { OpenedDevice } from '../device/openedDevice.ts';
import { openWebgpuDevice } from '../device/webgpuDevice.ts';
import type { KernelCode } from '../device/webgpuKernels.ts';

const code: KernelCode = {
  certify,
  dotPacked,
  dotUnpacked,
  filter,
  merge,
  rescore,
  rows,
  scan,
  scanGrid,
  scanKeys,
  select,
  sumAlone,
  sumSubgroup,
};

/**
 * Opens the visitor's GPU, in a page or in a worker: the device that `openDevice('webgpu')` opens in Node.js, with
 * the same ids and scores. Throws `ERR_DEVICE_UNAVAILABLE` where the browser offers none, with what to do about it.
 */
export async function openWebgpu(): Promise<Device> {
  const { gpu, adapter } = await findAdapter();
  return new OpenedDevice(await openWebgpuDevice(adapter, { code, language: gpu.wgslLanguageFeatures }));
}

async function findAdapter(): Promise<{ gpu: GPU; adapter: GPUAdapter }> {
  const gpu = globalThis.navigator?.gpu;
  if (gpu === undefined) {
    throw missing(
      globalThis.isSecureContext === false
        ? 'browsers offer WebGPU to secure pages only: serve this one over https or from localhost'
        : 'this browser does not offer it: use a current Chrome, Edge, Safari or Firefox ' +
            "(Node.js has openDevice('webgpu') instead)",
    );
  }
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) {
    throw missing(
      'the browser found no adapter: switch hardware acceleration on and update the graphics driver ' +
        '(chrome://gpu or about:support tells more)',
    );
  }
  return { gpu, adapter };
}

function missing(why: string): SeineError {
  return new SeineError('ERR_DEVICE_UNAVAILABLE', `WebGPU was asked for, but ${why}.`);
}
