/** What a GPU offers, by NVIDIA's data sheets and the CUDA programming guide's table of technical specifications. */
export interface Gpu {
  name: string;
  arch: 'sm_80' | 'sm_90a';
  multiprocessors: number;
  /** Of memory. */
  bytesPerSecond: number;
  /** Dense int8 operations of the tensor cores, an addition and a product being two. */
  int8PerSecond: number;
  /** Float32 operations outside of the tensor cores, a fused multiply-add being two. */
  float32PerSecond: number;
  /** Of a multiprocessor, in bytes; a block takes 1 KiB more than it asks for. */
  shared: number;
}

export const GPUS: Gpu[] = [
  {
    name: 'A100 SXM 80 GB',
    arch: 'sm_80',
    multiprocessors: 108,
    bytesPerSecond: 2.039e12,
    int8PerSecond: 624e12,
    float32PerSecond: 19.5e12,
    shared: 164 * 1024,
  },
  {
    name: 'H100 SXM',
    arch: 'sm_90a',
    multiprocessors: 132,
    bytesPerSecond: 3.35e12,
    int8PerSecond: 1979e12,
    float32PerSecond: 67e12,
    shared: 228 * 1024,
  },
  {
    name: 'H200 SXM',
    arch: 'sm_90a',
    multiprocessors: 132,
    bytesPerSecond: 4.8e12,
    int8PerSecond: 1979e12,
    float32PerSecond: 67e12,
    shared: 228 * 1024,
  },
];

const REGISTERS = 65_536;
const WARPS = 64;
const BLOCKS = 32;

/** Blocks that a multiprocessor holds at once, the share of its warps that they are, and what keeps it from more. */
export function occupancy({ shared }: Gpu, threads: number, registers: number, blockShared: number) {
  const warps = threads / 32;
  // Registers are given to a warp in units of 256.
  const warpRegisters = Math.ceil((registers * 32) / 256) * 256;
  const limits = {
    registers: Math.floor(Math.floor(REGISTERS / warpRegisters) / warps),
    'shared memory': Math.floor(shared / (blockShared + 1024)),
    warps: Math.floor(WARPS / warps),
    blocks: BLOCKS,
  };
  const [limit, blocks] = Object.entries(limits).reduce((least, one) => (one[1] < least[1] ? one : least));
  return { blocks, occupancy: (blocks * warps) / WARPS, limit };
}
