import type { Mutant } from './mutants.d.mts';

export function outcomes(): Map<string, [suite: string, test: string]>;
export function recordOutcome(mutant: Mutant, found?: [suite: string, test: string]): void;
