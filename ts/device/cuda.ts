import { SeineError } from '../core/errors.ts';
import type { DeviceProvider } from './device.ts';

const WHY = 'this build of Seine has no CUDA kernels';

export const provider: DeviceProvider = {
  name: 'cuda',
  probe: async () => ({
    available: false,
    reason: `${WHY}: use webgpu, which reaches NVIDIA GPUs through Vulkan, or cpu`,
    software: false,
    details: {},
  }),
  open: async () => {
    throw new SeineError(
      'ERR_DEVICE_UNAVAILABLE',
      `cuda was asked for, but ${WHY}: use 'webgpu', 'cpu' or 'auto'.`,
    );
  },
};
