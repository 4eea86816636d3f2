import { Graph } from '../../graph/graph.ts';
import { openSession } from '../../models/session.ts';
import { LexicalIndex, type Scored, topScores } from './lexicalIndex.ts';

const RRF = 60;
const BATCH = 64;

export interface CandidateInput {
  documents: readonly string[];
  /** `[documents, dim]` */
  documentVectors: Float32Array;
  queries: readonly string[];
  /** `[queries, dim]` */
  queryVectors: Float32Array;
  dim: number;
  /** Length of the dense and of the lexical list that are fused. */
  depth: number;
}

/**
 * For each query the documents that exact search and BM25 find, fused by reciprocal ranks (constant 60), best first,
 * equal scores by rising index.
 */
export async function fusedCandidates(input: CandidateInput): Promise<Scored[][]> {
  const lexical = new LexicalIndex(input.documents);
  const dense = await denseCandidates(input);
  return input.queries.map((query, i) => fuse([dense[i]!, lexical.search(query, input.depth)]));
}

function fuse(lists: Scored[][]): Scored[] {
  const scores = new Map<number, number>();
  for (const list of lists) {
    list.forEach(({ document }, rank) => {
      scores.set(document, (scores.get(document) ?? 0) + 1 / (RRF + rank + 1));
    });
  }
  return Array.from(scores, ([document, score]) => ({ document, score })).sort(
    (a, b) => b.score - a.score || a.document - b.document,
  );
}

/** Top `depth` by inner product. */
export async function denseCandidates(
  input: Omit<CandidateInput, 'documents' | 'queries'>,
): Promise<Scored[][]> {
  const { documentVectors, queryVectors, dim, depth } = input;
  const count = documentVectors.length / dim;
  const total = queryVectors.length / dim;
  const graph = new Graph();
  const rows = graph.input('rows', [count, dim]);
  const queries = graph.input('queries', ['batch', dim]);
  graph.output(graph.emit('Gemm', [queries, rows], ['batch', count], { transB: 1 }), 'scores');
  const session = await openSession(graph.build());
  const found: Scored[][] = [];
  for (let first = 0; first < total; first += BATCH) {
    const batch = Math.min(BATCH, total - first);
    const { scores } = await session.run({
      rows: { type: 'float32', dims: [count, dim], data: documentVectors },
      queries: {
        type: 'float32',
        dims: [batch, dim],
        data: queryVectors.subarray(first * dim, (first + batch) * dim),
      },
    });
    const data = scores!.data as Float32Array;
    for (let i = 0; i < batch; i++) found.push(topScores(data.subarray(i * count, (i + 1) * count), depth));
  }
  await session.release();
  return found;
}
