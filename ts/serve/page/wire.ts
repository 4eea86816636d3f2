import type { Explanation } from '../../core/explanation.ts';
import type { AttributeType, FilterExpression, Hit, RetrieveMode, Timings } from '../../core/types.ts';

/** Attribute values as JSON carries them: timestamps are ISO 8601 texts. */
export type WireValue = string | number | boolean | string[] | { lat: number; lon: number } | null;

export interface WireHit extends Omit<Hit, 'attributes'> {
  attributes: Record<string, WireValue>;
}

export interface SearchRequest {
  query: string;
  k?: number;
  offset?: number;
  depth?: number | undefined;
  retrieve?: RetrieveMode | undefined;
  filter?: FilterExpression | undefined;
  facets?: string[];
}

export type FacetCounts = { value: string | boolean; count: number }[];

export interface SearchAnswer {
  query: string;
  workload: string;
  hits: WireHit[];
  facets?: Record<string, FacetCounts>;
  generation: number;
  device: string;
  /** Documents that the ranker was to read. */
  depth: number;
  ranked: number;
  cached: number;
  truncated: number;
  queryTruncated: boolean;
  timings: Timings & { wait: number };
}

export interface Info {
  documents: number;
  generation: number;
  device: string;
  /** Left out if nothing ranks. */
  ranker?: string;
  attributes: Record<string, AttributeType>;
  workloads: Record<string, { depth?: { now: number; least: number; greatest: number } }>;
}

export interface WireExplanation extends Explanation {
  depth: number;
}

export interface WireDocument {
  id: string;
  title?: string;
  text: string;
  attributes?: Record<string, WireValue>;
}
