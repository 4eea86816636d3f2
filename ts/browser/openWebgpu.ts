import filter from '../../kernels/filter.wgsl';
import merge from '../../kernels/merge.wgsl';
import rescore from '../../kernels/rescore.wgsl';
import scan from '../../kernels/scan.wgsl';
import { SeineError } from '../core/errors.ts';
import type { Device } from '../device/device.ts';
import { OpenedDevice } from '../device/openedDevice.ts';
import { openWebgpuDevice } from '../device/webgpuDevice.ts';

/**
 * Opens the visitor's GPU, in a page or in a worker: the device that `openDevice('webgpu')` opens in Node.js, with
 * the same ids and scores. Throws `ERR_DEVICE_UNAVAILABLE` where the browser offers none, with what to do about it.
 */
export async function openWebgpu(): Promise<Device> {
  return new OpenedDevice(await openWebgpuDevice(await findAdapter(), { scan, merge, rescore, filter }));
}

async function findAdapter(): Promise<GPUAdapter> {
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
  return adapter;
}

function missing(why: string): SeineError {
  return new SeineError('ERR_DEVICE_UNAVAILABLE', `WebGPU was asked for, but ${why}.`);
}
