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
  depth?: number;
  retrieve?: RetrieveMode;
  filter?: FilterExpression | undefined;
  facets?: string[];
}

export type FacetCounts = { value: string | boolean; count: number }[];

export interface SearchAnswer {
  query: string;
  workload?: string;
  hits: WireHit[];
  facets?: Record<string, FacetCounts>;
  generation: number;
  device: string;
  depth?: number;
  ranked: number;
  cached?: number;
  truncated: number;
  queryTruncated?: boolean;
  timings: Timings & { wait?: number };
}

export interface Info {
  documents: number;
  generation: number;
  device: string;
  ranker?: string | null;
  attributes: Record<string, AttributeType>;
}

export interface WireDocument {
  id: string;
  title?: string;
  text: string;
  attributes?: Record<string, WireValue>;
}
