import type { Autodiff } from '../graph/autodiff.ts';
import type { Tensor } from '../graph/graph.ts';
import { maxSim } from '../graph/maxSim.ts';
import type { FeatureScale } from '../models/featureWeights.ts';
import type { Tokenizer } from '../models/tokenizer.ts';
import { judge } from './judge.ts';
import { float32, type Judged } from './losses/loss.ts';
import type { Task, TaskOptions } from './task.ts';
import { paddedLength, tokenFeeds } from './tokenFeeds.ts';
import { featureValues, firstWeights, weighFeatures } from './weighFeatures.ts';

export type TextKind = 'query' | 'document';

export interface BiEncoderOptions extends TaskOptions {
  tokenizer: Tokenizer;
  /** Put before texts. */
  prompts: Readonly<Record<TextKind, string>>;
  /** Relevant documents of each query. */
  relevant: ReadonlyMap<string, ReadonlySet<string>>;
  /** What the model makes of a text: one vector, or one of each token, which MaxSim compares. */
  similarity: 'cosine' | 'maxSim';
  /** A teacher's vector of a text, of unit length. */
  teacher: ((text: string, kind: TextKind) => Float32Array) | undefined;
  /** What scores of all objectives but the first add to the similarity, by weights that are learnt. */
  features: readonly FeatureScale[];
  /** How many objectives there are; the first is the similarity alone. */
  objectives: number;
}

/** The weights of similarity and features among the parameters. */
export const FEATURE_WEIGHTS = 'features.weight';

/**
 * Queries and documents to vectors of unit length by one model, `[texts, dim]` or `[texts, length, dim]`; scores are
 * cosines or their MaxSim, of a query with the documents of the whole batch. With features, scores of the objectives after
 * the first are weighted sums of similarity and features of a query's own documents.
 */
export function biEncoder(options: BiEncoderOptions): Task {
  const { model, tokenizer, padId, lists, size, maxTokens, prompts, features, objectives, loss } = options;
  const { takesTypes } = model.family;
  const count = features.length;
  return {
    ...(count > 0 && { parameters: { [FEATURE_WEIGHTS]: firstWeights(features) } }),
    async batch(groups) {
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
        ...tokenFeeds('query', asked, short, { padId, takesTypes }),
        ...tokenFeeds('document', read, long, { padId, takesTypes }),
        ...(count > 0 && {
          features: float32(featureValues(groups, size, features), [documents.length, count]),
        }),
        ...loss.feeds(judged),
      };
    },
    loss(net, parameters) {
      const encode = (name: TextKind, rows: number) => {
        const inputs = model.inputs(net, name, [rows, `${name}.length`]);
        return { vectors: model.apply(net, parameters, inputs), mask: inputs.mask };
      };
      const queries = encode('query', lists);
      const texts = encode('document', lists * size);
      const isCosine = options.similarity === 'cosine';
      const all = isCosine
        ? net.matmul(queries.vectors, net.transpose(texts.vectors, [1, 0]))
        : maxSim(net, queries, texts);
      const own = ownScores(net, all, lists, size);
      const ranked =
        count === 0
          ? own
          : weighFeatures(
              net,
              own,
              net.graph.input('features', [lists * size, count]),
              parameters[FEATURE_WEIGHTS]!,
            );
      const scores = {
        own,
        objectives: Array.from({ length: objectives }, (_, i) => (i === 0 ? own : ranked)),
        all,
        vectors: isCosine ? { queries: queries.vectors, documents: texts.vectors } : undefined,
      };
      return loss.emit(net, scores, (name, shape) => net.graph.input(name, shape));
    },
  };
}

/** Of the scores `[lists, lists · size]` those of each list's own documents, `[lists, size]`. */
function ownScores(net: Autodiff, all: Tensor, lists: number, size: number): Tensor {
  const own = Float32Array.from({ length: lists * lists }, (_, i) => (i % (lists + 1) === 0 ? 1 : 0));
  const chosen = net.graph.weights('own_lists', [lists, 1, lists], own);
  return net.reshape(net.matmul(chosen, net.reshape(all, [lists, lists, size])), [lists, size]);
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
