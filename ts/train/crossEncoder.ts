import type { PartIds } from '../models/tokenizer.ts';
import { judge } from './judge.ts';
import { dimsOf, type Task, type TaskOptions } from './task.ts';
import { paddedLength, tokenFeeds } from './tokenFeeds.ts';

/** Query and document together to one logit `[pairs, 1]`, the score. */
export function crossEncoder({ model, tokenizer, padId, size, maxTokens, loss }: TaskOptions): Task {
  const { takesTypes } = model.family;
  const room = maxTokens - tokenizer.specials.pair;
  /** As a cross-encoder reads it: half of the room at most, so that the document is read, too. */
  const readQuery = (query: string): PartIds =>
    tokenizer.part(query, Math.min(room, Math.floor(maxTokens / 2)));
  return {
    batch(groups) {
      const pairs = groups.flatMap(({ query, documents }) => {
        const first = readQuery(query);
        return Array.from({ length: size }, (_, i) =>
          tokenizer.pair(first, tokenizer.part(documents[i] ?? '', room - first.ids.length)),
        );
      });
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
