import { readFileSync } from 'node:fs';
import { KERNEL_NAMES, type KernelCode } from '../../ts/device/webgpuKernels.ts';

/** Texts of the kernels. */
export const kernelCode: KernelCode = Object.fromEntries(
  KERNEL_NAMES.map((name) => {
    const url = new URL(`../../kernels/${name}.wgsl`, import.meta.url);
    return [name, readFileSync(url, 'utf8')];
  }),
) as KernelCode;
