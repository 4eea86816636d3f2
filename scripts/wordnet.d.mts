import type { Document } from '../ts/core/types.ts';

/** All synsets of WordNet 3.1, with the attributes `pos`, `domain` (keywords) and `names` (how many). */
export function readWordnet(): Generator<Document & { title: string }>;
