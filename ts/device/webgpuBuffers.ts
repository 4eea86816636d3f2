import { SeineError } from '../core/errors.ts';

/** WebGPU's usage flags; Dawn's own globals are not installed. */
export const USAGE = { mapRead: 1, copySource: 4, copyTarget: 8, uniform: 64, storage: 128 } as const;
export const MAP_READ = 1;

/** A new buffer, or `ERR_OUT_OF_MEMORY`. */
export async function createBuffer(device: GPUDevice, size: number, usage: number): Promise<GPUBuffer> {
  device.pushErrorScope('validation');
  device.pushErrorScope('out-of-memory');
  const buffer = device.createBuffer({ size, usage });
  const errors = await Promise.all([device.popErrorScope(), device.popErrorScope()]);
  const error = errors.find((one) => one !== null);
  if (error === undefined) return buffer;
  buffer.destroy();
  throw new SeineError(
    'ERR_OUT_OF_MEMORY',
    `The webgpu device has no room for a buffer of ${size} bytes (WebGPU does not tell how many are free): ` +
      `keep fewer rows resident, or use the cpu device. ${error.message}`,
  );
}

/** Lends a buffer of at least `size` bytes. */
export type Take = (size: number, usage: number) => Promise<GPUBuffer>;

/** Buffers that searches use and give back, by usage and by size rounded up to a power of two. */
export class BufferPool {
  readonly #device: GPUDevice;
  readonly #idle = new Map<string, GPUBuffer[]>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Runs `work` with a function that lends buffers until `work` has settled. */
  async lend<T>(work: (take: Take) => Promise<T>): Promise<T> {
    const lent: { key: string; buffer: GPUBuffer }[] = [];
    const take: Take = async (size, usage) => {
      // A binding is cut to what the device binds at once: what lies beyond would be lost without a word.
      if ((usage & USAGE.storage) !== 0 && size > this.#device.limits.maxStorageBufferBindingSize) {
        throw new SeineError(
          'ERR_INTERNAL',
          `A buffer of ${size} bytes is more than the webgpu device binds at once.`,
        );
      }
      const rounded = Math.min(
        2 ** Math.ceil(Math.log2(Math.max(size, 256))),
        this.#device.limits.maxBufferSize,
      );
      const key = `${usage} ${rounded}`;
      const buffer = this.#idle.get(key)?.pop() ?? (await createBuffer(this.#device, rounded, usage));
      lent.push({ key, buffer });
      return buffer;
    };
    try {
      return await work(take);
    } finally {
      for (const { key, buffer } of lent) {
        const idle = this.#idle.get(key);
        if (idle === undefined) this.#idle.set(key, [buffer]);
        else idle.push(buffer);
      }
    }
  }

  destroy(): void {
    for (const buffers of this.#idle.values()) for (const buffer of buffers) buffer.destroy();
    this.#idle.clear();
  }
}
