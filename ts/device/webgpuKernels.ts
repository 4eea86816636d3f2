/** The files in kernels/ that WebGPU runs: whole kernels, and what is put in front of them. */
export const KERNEL_NAMES = [
  'rows',
  'scanKeys',
  'sumAlone',
  'sumSubgroup',
  'scanGrid',
  'scan',
  'dotPacked',
  'dotUnpacked',
  'certify',
  'select',
  'merge',
  'rescore',
  'filter',
] as const;

/** Their texts. */
export type KernelCode = Record<(typeof KERNEL_NAMES)[number], string>;
