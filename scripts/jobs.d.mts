import type { Document } from '../ts/core/types.ts';

/** 10,968 postings, in the order of the corpus. */
export function readJobs(): Document[];
