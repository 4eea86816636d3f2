/** What WebGPU was asked to do since `reset`. */
export interface GpuWork {
  submits: number;
  dispatches: number;
  /** From the host. */
  bytesWritten: number;
  /** To the host. */
  bytesRead: number;
}

export interface GpuCounter {
  readonly work: GpuWork;
  reset(): void;
  /** Bytes of rows, of what lies beside them and of keys that kernels have read and written since `reset`. */
  bytesMoved(): Promise<number>;
  /** Ends the counting, once the device is closed. */
  restore(): void;
}

/** Bytes of an element of the arrays that are counted: per row, and not the same for all of a workgroup. */
const ELEMENTS = { rows: 16, facts: 8, passing: 4, keys: 4 };
/** Where the counter is bound, behind the bindings of kernels/scanGrid.wgsl. */
const BINDING = 9;
const STORAGE = 128 | 4 | 8;
const COMPUTE = 4;

type Prototype = Record<string, (this: unknown, ...given: never[]) => unknown>;

/**
 * Counts at WebGPU's own methods, which do their work as before, from the next device on that is opened. Kernels of
 * scans are changed on their way to the compiler: each access to an array of rows or keys adds its bytes to a counter.
 */
export function countGpuWork(globals: object): GpuCounter {
  const classes = globals as Record<string, { prototype: Prototype }>;
  const work: GpuWork = { submits: 0, dispatches: 0, bytesWritten: 0, bytesRead: 0 };
  let device: GPUDevice | undefined;
  let moved: GPUBuffer | undefined;
  const restores: (() => void)[] = [];
  const wrap = (name: string, method: string, change: (plain: (...given: never[]) => unknown) => unknown) => {
    const { prototype } = classes[name]!;
    const plain = prototype[method]!;
    restores.push(() => {
      prototype[method] = plain;
    });
    prototype[method] = function (this: unknown, ...given) {
      const run = change((...changed) => plain.apply(this, changed)) as typeof plain;
      return run.apply(this, given);
    };
  };
  const watch = (name: string, method: string, note: (...given: never[]) => void) =>
    wrap(name, method, (plain) => (...given: never[]) => {
      note(...given);
      return plain(...given);
    });
  watch('GPUQueue', 'submit', () => work.submits++);
  watch('GPUComputePassEncoder', 'dispatchWorkgroups', () => work.dispatches++);
  watch('GPUQueue', 'writeBuffer', (_to: never, _at: never, data: ArrayBuffer) => {
    work.bytesWritten += data.byteLength;
  });
  watch('GPUBuffer', 'mapAsync', (_mode: never, _at: never, size: number) => {
    work.bytesRead += size;
  });

  wrap('GPUAdapter', 'requestDevice', (plain) => async (descriptor: GPUDeviceDescriptor = {}) => {
    const requiredLimits = { ...descriptor.requiredLimits, maxStorageBuffersPerShaderStage: 9 };
    device = (await plain({ ...descriptor, requiredLimits } as never)) as GPUDevice;
    moved = device.createBuffer({ size: 256, usage: STORAGE });
    return device;
  });
  wrap('GPUDevice', 'createBindGroupLayout', (plain) => (descriptor: GPUBindGroupLayoutDescriptor) => {
    const entries = [...descriptor.entries];
    if (entries.length === BINDING) {
      entries.push({ binding: BINDING, visibility: COMPUTE, buffer: { type: 'storage' } });
    }
    return plain({ ...descriptor, entries } as never);
  });
  wrap('GPUDevice', 'createBindGroup', (plain) => (descriptor: GPUBindGroupDescriptor) => {
    const entries = [...descriptor.entries];
    if (entries.length === BINDING) entries.push({ binding: BINDING, resource: { buffer: moved! } });
    return plain({ ...descriptor, entries } as never);
  });
  wrap('GPUDevice', 'createShaderModule', (plain) => ({ code }: GPUShaderModuleDescriptor) => {
    return plain({ code: code.includes('fn largestAt') ? counted(code) : code } as never);
  });

  return {
    work,
    restore: () => {
      for (const restore of restores.toReversed()) restore();
    },
    reset: () => {
      Object.assign(work, { submits: 0, dispatches: 0, bytesWritten: 0, bytesRead: 0 });
      device!.queue.writeBuffer(moved!, 0, new Uint32Array(1));
      work.bytesWritten = 0;
    },
    bytesMoved: async () => {
      const before = { ...work };
      const read = device!.createBuffer({ size: 4, usage: 1 | 8 });
      const encoder = device!.createCommandEncoder();
      encoder.copyBufferToBuffer(moved!, 0, read, 0, 4);
      device!.queue.submit([encoder.finish()]);
      await read.mapAsync(1, 0, 4);
      const bytes = new Uint32Array(read.getMappedRange())[0]!;
      read.destroy();
      Object.assign(work, before);
      return bytes;
    },
  };
}

/** The kernel with a counter of the bytes it moves: below 4 GiB. */
function counted(code: string): string {
  const facts = code.includes('array<Fact>') ? 12 : ELEMENTS.facts;
  let changed = code;
  for (const [name, bytes] of Object.entries({ ...ELEMENTS, facts })) {
    changed = changed.replaceAll(new RegExp(`\\b${name}\\[`, 'g'), `${name}[counted(${bytes}u) + `);
  }
  return `${changed}
@group(0) @binding(${BINDING}) var<storage, read_write> movedBytes: atomic<u32>;
fn counted(bytes: u32) -> u32 {
  atomicAdd(&movedBytes, bytes);
  return 0u;
}
`;
}
