import { judge } from './judge.ts';
import type { Judged } from './losses/loss.ts';
import { dimsOf, type Task, type TaskOptions } from './task.ts';
import { paddedLength, tokenFeeds } from './tokenFeeds.ts';

export type TextKind = 'query' | 'document';

export interface BiEncoderOptions extends TaskOptions {
  /** Put before texts. */
  prompts: Readonly<Record<TextKind, string>>;
  /** Relevant documents of each query. */
  relevant: ReadonlyMap<string, ReadonlySet<string>>;
  /** A teacher's vector of a text, of unit length. */
  teacher: ((text: string, kind: TextKind) => Float32Array) | undefined;
}

/**
 * Queries and documents to vectors of unit length `[texts, dim]` by one model; scores are cosines, of a query with the
 * documents of the whole batch.
 */
export function biEncoder(options: BiEncoderOptions): Task {
  const { model, tokenizer, padId, size, maxTokens, prompts, loss } = options;
  const { takesTypes } = model.family;
  return {
    batch(groups) {
      const documents = groups.flatMap((group) =>
        Array.from({ length: size }, (_, i) => group.documents[i] ?? ''),
      );
      const queries = groups.map(({ query }) => query);
      const tokens = (texts: readonly string[], kind: TextKind) =>
        texts.map((text) => tokenizer.single(prompts[kind] + text, maxTokens));
      const asked = tokens(queries, 'query');
      const read = tokens(documents, 'document');
      const [short, long] = [paddedLength(asked, maxTokens), paddedLength(read, maxTokens)];
      const judged: Judged = {
        ...judge(groups, size, options.relevant),
        vectors: teacherVectors(options, queries, documents),
      };
      return {
        bucket: [groups.length, size, short, long].join('x'),
        feeds: {
          ...tokenFeeds('query', asked, short, { padId, takesTypes }),
          ...tokenFeeds('document', read, long, { padId, takesTypes }),
          ...loss.feeds(judged),
        },
      };
    },
    loss: (bucket) => (net, parameters) => {
      const [lists, documents, short, long] = dimsOf(bucket) as [number, number, number, number];
      const encode = (name: TextKind, rows: number, length: number) =>
        model.apply(net, parameters, model.inputs(net, name, [rows, length]));
      const vectors = {
        queries: encode('query', lists, short),
        documents: encode('document', lists * documents, long),
      };
      const dim = vectors.queries.shape[1] as number;
      const query = net.reshape(vectors.queries, [lists, 1, dim]);
      const group = net.reshape(vectors.documents, [lists, documents, dim]);
      const own = net.matmul(query, net.transpose(group, [0, 2, 1]));
      const scores = {
        own: net.reshape(own, [lists, documents]),
        all: net.matmul(vectors.queries, net.transpose(vectors.documents, [1, 0])),
        vectors,
      };
      return loss.emit(net, scores, (name, shape) => net.graph.input(name, shape));
    },
  };
}

/** Vectors of queries and documents by the teacher; 0 for documents that only fill a list up. */
function teacherVectors(
  { teacher }: BiEncoderOptions,
  queries: readonly string[],
  documents: readonly string[],
): Judged['vectors'] {
  if (teacher === undefined) return undefined;
  const dim = teacher(queries[0]!, 'query').length;
  const of = (texts: readonly string[], kind: TextKind): Float32Array => {
    const all = new Float32Array(texts.length * dim);
    for (const [i, text] of texts.entries()) if (text !== '') all.set(teacher(text, kind), i * dim);
    return all;
  };
  return { queries: of(queries, 'query'), documents: of(documents, 'document') };
}
