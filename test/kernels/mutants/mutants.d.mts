export interface Mutant {
  /** The fault, in words. */
  name: string;
  /** The device whose tests are to find it. */
  device: 'cuda' | 'webgpu' | 'cpu';
  file: string;
  /** Text that stands in the file exactly once, and what stands there instead. */
  find: string;
  replace: string;
  /** Tests that are to find it, the likeliest one first. */
  suites: string[];
}
export declare const mutants: Mutant[];
export declare function mutate(source: string, mutant: Mutant): string;
