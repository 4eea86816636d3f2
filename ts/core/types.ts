/** Types that pass between rooms. Shapes are written `[rows, dim]`, row-major; times are milliseconds. */

export type DeviceName = 'cuda' | 'webgpu' | 'cpu' | 'reference';

/**
 * `l2` is the squared Euclidean distance, `hamming` the number of bits that differ (with dtype `binary`, and only
 * there): lower is better. For the others higher is better.
 */
export type Metric = 'ip' | 'cosine' | 'l2' | 'hamming';

/**
 * How a row's numbers are stored, and which numbers the scores are computed from: as given (`f32`), rounded to 16
 * bits (`f16`, `bf16`), as 8-bit codes times the row's scale (`int8`), or as one bit that tells whether a number is
 * above 0 (`binary`).
 */
export type Dtype = 'f32' | 'f16' | 'bf16' | 'int8' | 'binary';

/**
 * Bit `i` of `mask` (word `i >> 5`, bit `i & 31`) says that row `i` may pass; `rows` lists the ids that may pass;
 * `where` is a condition over the attributes that were uploaded with the rows.
 */
export type Filter = { mask: Uint32Array } | { rows: Uint32Array } | { where: FilterExpression };

export interface SearchOptions {
  /** Results wanted per query: a positive integer; more than there are rows is legal. */
  k: number;
  filter?: Filter | undefined;
  signal?: AbortSignal | undefined;
  /**
   * `[q, 1 + features]`, for rows with features and for no others: of each query the weight of the similarity, then
   * one of each feature. The score is `w0 * similarity + w1 * f1 + w2 * f2 + …`, higher is better.
   */
  weights?: Float32Array | undefined;
  /**
   * `[q + 1]`, for rows uploaded with `maxsim` and for no others: where the tokens of each query begin, and the end. The
   * score of a document is the sum, over the tokens of the query, of the best inner product with one of its tokens.
   */
  offsets?: Uint32Array | undefined;
}

/** What a score depends on besides query and row: as for a search. */
export type RescoreOptions = Pick<SearchOptions, 'weights' | 'offsets'>;

/** Which scores are the best. */
export type Order = 'highest' | 'lowest';

export interface SelectOptions {
  /** Scores of a query, 1 or more. */
  n: number;
  /** Results wanted per query: a positive integer; more than `n` is legal. */
  k: number;
  order: Order;
}

export interface MergeOptions {
  /** Results wanted per query: a positive integer; more than the lists hold is legal. */
  k: number;
  order: Order;
  /**
   * Added to the ids of each list, which are kept as they are without it: the first row of each shard, where the lists
   * are searches of several residents that hold the rows of one collection between them.
   */
  firsts?: readonly number[] | undefined;
}

/** Pairs of a query and a row, `[pairs]` each. */
export interface Pairs {
  /** Numbers of queries, from 0. */
  queries: Uint32Array;
  /** Ids of rows that are not removed. */
  rows: Uint32Array;
}

/** What `merge` reads of a top-k list: slots up to `counts[i]` of each query, best first, equal scores by rising id. */
export type TopKList = Pick<TopK, 'ids' | 'scores' | 'counts' | 'k'>;

/** Top-k of `q` queries. Slots past `counts[i]` hold id `0xFFFFFFFF` and the metric's worst infinity. */
export interface TopK {
  /** `[q, k]` */
  ids: Uint32Array;
  /** `[q, k]`: canonical scores, best first; equal scores by rising id. */
  scores: Float32Array;
  /** `[q]`: filled slots per query. */
  counts: Uint32Array;
  k: number;
  /** Generation of the rows that this search saw; 0 where the scores came without rows. */
  generation: number;
  device: DeviceName;
}

export interface GeoPoint {
  lat: number;
  lon: number;
}

/**
 * A typed attribute. Strings are exact keywords, numbers float64, `Date` and `bigint` are int64 timestamps
 * (milliseconds since 1970), string arrays are sets, `{ lat, lon }` is a point in degrees. `null` is a missing value.
 */
export type AttributeValue = string | number | boolean | Date | bigint | string[] | GeoPoint | null;
export type AttributeType = 'keyword' | 'number' | 'boolean' | 'timestamp' | 'set' | 'geo';
export type Attributes = Record<string, AttributeValue>;

export interface Document {
  id: string;
  title?: string | undefined;
  text: string;
  attributes?: Attributes | undefined;
}

type Scalar = string | number | boolean | Date | bigint;

/**
 * A condition over attributes. A comparison with a missing value is false, and `not` is plain negation: so
 * `{ not: { eq: ['city', 'Bern'] } }` passes documents without a city. On sets, `eq` means "has the member"
 * and `in` "has one of the members". `near` is the great-circle distance in metres, borders included.
 */
export type FilterExpression =
  | { and: FilterExpression[] }
  | { or: FilterExpression[] }
  | { not: FilterExpression }
  | { eq: [name: string, value: Scalar] }
  | { in: [name: string, values: Scalar[]] }
  | { lt: [name: string, value: number | string | Date | bigint] }
  | { lte: [name: string, value: number | string | Date | bigint] }
  | { gt: [name: string, value: number | string | Date | bigint] }
  | { gte: [name: string, value: number | string | Date | bigint] }
  | { exists: [name: string] | string }
  | { near: [name: string, centre: GeoPoint, metres: number] };

/** Who asks, for ranking that depends on it. */
export interface Searcher {
  id: string;
  /** Of the profile. */
  version: string;
  /** What the ranker reads of the searcher, after the query. */
  profile: string;
}

export type RetrieveMode = 'dense' | 'bm25' | 'fused';

/** Half-open range of UTF-16 code units in a snippet. */
export interface Highlight {
  start: number;
  end: number;
}

/** Scores by stage; a stage that did not see the document leaves its field out. */
export interface StageScores {
  dense?: number;
  bm25?: number;
  fused?: number;
  ranker?: number;
}

export interface Hit {
  id: string;
  /** 1 is best; counts from the first result of the first page. */
  rank: number;
  /** The score that decided the order: of the last stage that ran. */
  score: number;
  scores: StageScores;
  title?: string;
  snippet: string;
  highlights: Highlight[];
  attributes: Attributes;
}

/** Milliseconds by stage. */
export interface Timings {
  understand: number;
  retrieve: number;
  rank: number;
  respond: number;
  total: number;
}

/** Relevance grades: query id -> document id -> grade (integer; 0 or less is not relevant). */
export type Qrels = Map<string, Map<string, number>>;

export interface RunEntry {
  id: string;
  score: number;
}

/** query id -> documents, best first. */
export type Run = Map<string, RunEntry[]>;
