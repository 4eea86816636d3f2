import type { TokenIds } from '../models/tokenizer.ts';
import { judge } from './judge.ts';
import type { ReadPair } from './readPair.ts';
import { dimsOf, type Task, type TaskOptions } from './task.ts';
import { paddedLength, tokenFeeds } from './tokenFeeds.ts';

export interface PairRankerOptions extends TaskOptions {
  readPair: ReadPair;
}

/** Query and document together to one score `[pairs, 1]`: a cross-encoder, or a decoder that is asked by a prompt. */
export function pairRanker({ model, readPair, padId, size, maxTokens, loss }: PairRankerOptions): Task {
  const { takesTypes } = model.family;
  return {
    async batch(groups) {
      const pairs: TokenIds[] = [];
      for (const { query, documents } of groups) {
        const read = await readPair(query);
        for (let i = 0; i < size; i++) pairs.push(read(documents[i] ?? ''));
      }
      const length = paddedLength(pairs, maxTokens);
      return {
        bucket: [groups.length, size, length].join('x'),
        feeds: {
          ...tokenFeeds('pair', pairs, length, { padId, takesTypes }),
          ...loss.feeds({ ...judge(groups, size, undefined), vectors: undefined }),
        },
      };
    },
    loss: (bucket) => (net, parameters) => {
      const [lists, documents, length] = dimsOf(bucket) as [number, number, number];
      const logits = model.apply(net, parameters, model.inputs(net, 'pair', [lists * documents, length]));
      const own = net.reshape(logits, [lists, documents]);
      return loss.emit(net, { own, all: own, vectors: undefined }, (name, shape) =>
        net.graph.input(name, shape),
      );
    },
  };
}
