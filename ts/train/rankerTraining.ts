import { type BertConfig, bertEncoder, bertShapes, classificationHead } from '../graph/bert.ts';
import { WORD_EMBEDDINGS } from '../graph/bertWeights.ts';
import { flatLayout } from '../graph/flatLayout.ts';
import type { Tensor } from '../models/session.ts';
import type { Tokenizer } from '../models/tokenizer.ts';
import type { Batch } from './gradients.ts';
import { listTargets, listwiseLoss } from './losses/listwise.ts';
import { type TrainOptions, train } from './trainer.ts';

/** One list of the listwise loss. */
export interface RankingGroup {
  query: string;
  /** Texts of the documents. */
  documents: string[];
  /** Relevance grades, 0 = not relevant. */
  grades: number[];
}

/** Query tokens at most; the document gets what is left. */
const QUERY_TOKENS = 32;

export interface RankerTraining
  extends Pick<
    TrainOptions,
    'optimizer' | 'warmup' | 'peak' | 'checkpoint' | 'checkpointSteps' | 'identity' | 'threads' | 'onStep'
  > {
  config: BertConfig;
  tokenizer: Tokenizer;
  /** Start values by name, without word embeddings. */
  weights: Record<string, Float32Array>;
  /** `[vocabulary, hidden]`; they are not trained. */
  wordEmbeddings: Float32Array;
  /** Per step, the groups of its batch and the sequence length of its pairs. All have `lists` groups of one size. */
  batches: readonly { groups: readonly RankingGroup[]; maxTokens: number }[];
}

/** Trains a cross-encoder with one logit on lists; returns the weights by name. */
export async function trainRanker(options: RankerTraining): Promise<Record<string, Float32Array>> {
  const { config, tokenizer, batches } = options;
  const layout = flatLayout(bertShapes(config, 1));
  const initial = new Float32Array(layout.size);
  for (const { name, offset } of layout.entries) initial.set(options.weights[name]!, offset);
  const { parameters: final } = await train({
    ...options,
    layout,
    initial,
    steps: batches.length,
    batches: (step) => {
      const { groups, maxTokens } = batches[step - 1]!;
      return [listBatch(tokenizer, groups, maxTokens)];
    },
    loss: (bucket) => (net, parameters) => {
      const [lists, size, length] = bucket.split('x').map(Number) as [number, number, number];
      const pairs = lists * size;
      const { graph } = net;
      const ids = graph.input('input_ids', [pairs, length], 'int64');
      const mask = graph.input('attention_mask', [pairs, length], 'int64');
      const types = graph.input('token_type_ids', [pairs, length], 'int64');
      const targets = graph.input('targets', [lists, size]);
      const table = graph.weights(
        WORD_EMBEDDINGS,
        [config.vocab_size, config.hidden_size],
        options.wordEmbeddings,
      );
      const states = bertEncoder(net, config, parameters, {
        tokens: graph.gather(table, ids),
        attention_mask: mask,
        token_type_ids: types,
      });
      const logits = classificationHead(net, parameters, states);
      return listwiseLoss(net, net.reshape(logits, [lists, size]), targets);
    },
  });
  return Object.fromEntries(
    layout.entries.map(({ name, offset, size }) => [name, final.slice(offset, offset + size)]),
  );
}

/** Pairs `[lists × size, maxTokens]`, padded, with target probabilities `[lists, size]`. */
export function listBatch(tokenizer: Tokenizer, groups: readonly RankingGroup[], maxTokens: number): Batch {
  const size = groups[0]!.documents.length;
  const pairs = groups.length * size;
  const ids = new BigInt64Array(pairs * maxTokens).fill(BigInt(tokenizer.padId));
  const mask = new BigInt64Array(pairs * maxTokens);
  const types = new BigInt64Array(pairs * maxTokens);
  const targets = new Float32Array(pairs);
  groups.forEach(({ query, documents, grades }, list) => {
    const first = tokenizer.part(query, QUERY_TOKENS);
    targets.set(listTargets(grades), list * size);
    documents.forEach((document, i) => {
      const second = tokenizer.part(document, maxTokens - tokenizer.specials.pair - first.ids.length);
      const pair = tokenizer.pair(first, second);
      const offset = (list * size + i) * maxTokens;
      pair.ids.forEach((id, j) => {
        ids[offset + j] = BigInt(id);
        mask[offset + j] = 1n;
        types[offset + j] = BigInt(pair.types[j]!);
      });
    });
  });
  const tensor = (data: BigInt64Array): Tensor => ({ type: 'int64', dims: [pairs, maxTokens], data });
  return {
    bucket: `${groups.length}x${size}x${maxTokens}`,
    feeds: {
      input_ids: tensor(ids),
      attention_mask: tensor(mask),
      token_type_ids: tensor(types),
      targets: { type: 'float32', dims: [groups.length, size], data: targets },
    },
  };
}
