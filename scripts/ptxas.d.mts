export interface KernelRow {
  kernel: string;
  arch: string;
  registers: number;
  shared: number;
  spills: number;
}
export declare const PTXAS_TABLE: string;
export declare const ARCHITECTURES: readonly string[];
export declare function nvccVersion(): string | undefined;
export declare function compileKernels(arch: string): Promise<KernelRow[]>;
