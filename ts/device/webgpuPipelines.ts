const ENTRY_POINTS = ['score1', 'score8', 'histogram', 'pick', 'compact'] as const;
const COMPUTE = 4;
const BINDINGS: readonly GPUBufferBindingType[] = [
  'uniform',
  ...Array.from({ length: 5 }, () => 'read-only-storage' as const),
  ...Array.from({ length: 3 }, () => 'storage' as const),
];

/** The compiled entry points of kernels/scan.wgsl, which share one bind group layout. */
export interface Pipelines {
  layout: GPUBindGroupLayout;
  similarity: Record<(typeof ENTRY_POINTS)[number], GPUComputePipeline>;
  distance: Record<(typeof ENTRY_POINTS)[number], GPUComputePipeline>;
}

export async function createPipelines(device: GPUDevice, code: string): Promise<Pipelines> {
  const layout = device.createBindGroupLayout({
    entries: BINDINGS.map((type, binding) => ({ binding, visibility: COMPUTE, buffer: { type } })),
  });
  const pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [layout] });
  const module = device.createShaderModule({ code });
  const compile = async (l2: boolean): Promise<Pipelines['distance']> => {
    const compiled = ENTRY_POINTS.map(async (entryPoint) => {
      const compute = { module, entryPoint, constants: { L2: l2 ? 1 : 0 } };
      return [
        entryPoint,
        await device.createComputePipelineAsync({ layout: pipelineLayout, compute }),
      ] as const;
    });
    return Object.fromEntries(await Promise.all(compiled)) as Pipelines['distance'];
  };
  const [similarity, distance] = await Promise.all([compile(false), compile(true)]);
  return { layout, similarity, distance };
}
