import { TOKEN_EMBEDDINGS } from './families/decoder.ts';
import type { Source } from './families/family.ts';
import type { Tensor } from './graph.ts';

/** What a decoder's states are multiplied with to predict words, of all or of some: columns `[hidden, words]`. */
export function wordColumns({ net, config, weights }: Source, ids?: readonly number[]): Tensor {
  const name = config.flag('tie_word_embeddings', false) ? TOKEN_EMBEDDINGS : 'lm_head.weight';
  const table = weights.get(name, [config.count('vocab_size'), config.count('hidden_size')]);
  const chosen = ids === undefined ? table : net.gather(table, net.graph.integers(ids));
  return net.transpose(chosen, [1, 0]);
}
