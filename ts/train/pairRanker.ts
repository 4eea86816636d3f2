import { part } from '../graph/decoderOps.ts';
import type { PairReader } from '../models/pairReader.ts';
import type { TokenIds } from '../models/tokenizer.ts';
import { judge } from './judge.ts';
import type { Task, TaskOptions } from './task.ts';
import { paddedLength, tokenFeeds } from './tokenFeeds.ts';

export interface PairRankerOptions extends TaskOptions {
  reader: PairReader;
  /** Scores that the model gives a pair. */
  objectives: number;
}

/** Query and document together to scores `[pairs, objectives]`: a cross-encoder, or a decoder that is asked by a prompt. */
export function pairRanker(options: PairRankerOptions): Task {
  const { model, reader, objectives: count, padId, lists, size, maxTokens, loss } = options;
  const { takesTypes } = model.family;
  return {
    async batch(groups) {
      const pairs: TokenIds[] = [];
      for (const { query, documents } of groups) {
        const { room, pair } = await reader.begin(query);
        for (let i = 0; i < size; i++) pairs.push(pair(reader.readDocument(documents[i] ?? '', room)));
      }
      const length = paddedLength(pairs, maxTokens);
      return {
        ...tokenFeeds('pair', pairs, length, { padId, takesTypes }),
        ...loss.feeds({ ...judge(groups, size, undefined), vectors: undefined }),
      };
    },
    loss(net, parameters) {
      const inputs = model.inputs(net, 'pair', [lists * size, 'pair.length']);
      const logits = model.apply(net, parameters, inputs);
      const objectives = Array.from({ length: count }, (_, i) =>
        net.reshape(count === 1 ? logits : part(net, logits, 1, i, i + 1), [lists, size]),
      );
      const own = objectives[0]!;
      return loss.emit(net, { own, objectives, all: own, vectors: undefined }, (name, shape) =>
        net.graph.input(name, shape),
      );
    },
  };
}
