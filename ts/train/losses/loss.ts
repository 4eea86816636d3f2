import type { Autodiff } from '../../graph/autodiff.ts';
import type { Tensor as GraphTensor } from '../../graph/graph.ts';
import type { Tensor } from '../../models/session.ts';

/** What is known of the documents of a batch, `[lists, size]`: `size` documents for each of `lists` queries. */
export interface Judged {
  lists: number;
  size: number;
  /** Relevance, 0 = not relevant; NaN where nobody said, and where a list has fewer documents. */
  grades: Float32Array;
  /** Probability of relevance, 0 to 1, or NaN. */
  labels: Float32Array;
  /** A teacher's scores, or NaN. */
  scores: Float32Array;
  /** Labels of further objectives by name, each like `labels`. */
  objectives?: Readonly<Record<string, Float32Array>> | undefined;
  /** Documents that a query is scored with: `size` of its own list, or `lists · size` of all lists. */
  columns: number;
  /** `[lists, columns]`: 1 where a document is not relevant to a query, or is taken to be so as another query's. */
  negative: Uint8Array;
  /** A teacher's vectors of unit length, `[lists, dim]` and `[lists · size, dim]`. */
  vectors: { queries: Float32Array; documents: Float32Array } | undefined;
}

/** What a model says of a batch. */
export interface Scores {
  /** Of each query's own documents, `[lists, size]`. */
  own: GraphTensor;
  /** Of each query's own documents by objective, for a model that has several; `own` is the first of them. */
  objectives?: readonly GraphTensor[] | undefined;
  /** Of all documents that a query is scored with, `[lists, columns]`. */
  all: GraphTensor;
  /** Of unit length, `[lists, dim]` and `[lists · size, dim]`; bi-encoders only. */
  vectors: { queries: GraphTensor; documents: GraphTensor } | undefined;
}

/** Declares an input of the graph, float32. */
export type DeclareInput = (name: string, shape: readonly number[]) => GraphTensor;

/** A loss: what it is fed with a batch, and its nodes. What is not known (NaN) does not count. */
export interface Loss {
  feeds(judged: Judged): Record<string, Tensor>;
  /** A scalar: the mean over what counts in a batch; 0 if nothing does. */
  emit(net: Autodiff, scores: Scores, input: DeclareInput): GraphTensor;
}

export const float32 = (data: Float32Array, dims: readonly number[]): Tensor => ({
  type: 'float32',
  dims,
  data,
});

/** Added to a score that must not count in a softmax. */
export const HIDDEN = -1e9;

/** Weights `[count]` that sum to 1 over the elements that are known and are 0 elsewhere; all 0 if none is. */
export function evenWeights(values: Float32Array): Float32Array {
  const known = values.reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : 1), 0);
  return values.map((value) => (Number.isNaN(value) ? 0 : 1 / known));
}

/** Unknown values as 0, where a weight of 0 lets them not count. */
export const zeroed = (values: Float32Array): Float32Array =>
  values.map((value) => (Number.isNaN(value) ? 0 : value));
