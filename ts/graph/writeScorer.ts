import { SeineError, show } from '../core/errors.ts';
import { Autodiff } from './autodiff.ts';
import type { Precision } from './blockMatrix.ts';
import type { Checkpoint } from './checkpoint.ts';
import {
  decoder,
  decoderRope,
  decoderStates,
  groupsOf,
  headWidth,
  type KeysValues,
  type Sight,
} from './families/decoder.ts';
import type { Source } from './families/family.ts';
import type { Tensor } from './graph.ts';
import { ModelConfig } from './modelConfig.ts';
import { hideForeign } from './positions.ts';
import { TransformerWeights } from './transformerWeights.ts';
import { wordColumns } from './wordColumns.ts';
import type { WrittenTransformer } from './writeTransformer.ts';

/** A graph that scores texts after what was read before. */
export interface WrittenScorer extends WrittenTransformer {
  layers: number;
  /** Heads of keys and values. */
  groups: number;
  /** Numbers of a head. */
  width: number;
  /** Numbers of an embedding. */
  hidden: number;
}

/**
 * Writes the graph by which a decoder scores: logits of a few words after the last token of each item, given the keys
 * and values of what stands before all of them. It serves for the part before as for the items, several of which may
 * lie in one row: a token sees what stands before and its own item up to itself.
 *
 * Inputs: `input_ids`, `positions` and `items` int64 `[batch, sequence]` (token, its position, number of its item
 * within the row, −1 for padding); `ends` int64 `[items, 2]` (row and column of each item's last token); `vectors`
 * float32 `[vectors, hidden]`, which stand in for the embeddings of the tokens at `places` int64 `[vectors, 2]` (row and
 * column, each once; there may be none);
 * `past_keys.<layer>` and `past_values.<layer>` float32 `[1, groups, past, width]`, where past may be 0. Outputs:
 * `logits` `[items, words]`; `keys.<layer>` and `values.<layer>` `[batch, groups, sequence, width]` of the tokens
 * themselves. Errors: `ERR_MODEL` if the checkpoint is no decoder, or lacks a field or a tensor.
 */
export function writeScorer(
  checkpoint: Checkpoint,
  words: readonly number[],
  precision: Precision = 'f32',
): WrittenScorer {
  const { directory, weightsFolder } = checkpoint;
  const config = new ModelConfig(checkpoint.config, directory);
  if (!decoder.types.includes(config.fields.model_type as string)) {
    throw new SeineError(
      'ERR_MODEL',
      `The model at ${directory} should be of one of the types ${decoder.types.join(', ')}, to predict words, but its ` +
        `config.json says ${show(config.fields.model_type)}: choose another model.`,
    );
  }
  const net = new Autodiff();
  const { graph } = net;
  const weights = new TransformerWeights(graph, checkpoint, decoder.prefix, { precision });
  const source: Source = { net, config, weights };
  const token = (name: string): Tensor => graph.input(name, ['batch', 'sequence'], 'int64');
  const [ids, positions, items] = [token('input_ids'), token('positions'), token('items')];
  const ends = graph.input('ends', ['items', 2], 'int64');
  const hidden = config.count('hidden_size');
  const vectors = graph.input('vectors', ['vectors', hidden]);
  const places = graph.input('places', ['vectors', 2], 'int64');

  const [layers, groups, width] = [config.count('num_hidden_layers'), groupsOf(config), headWidth(config)];
  const past = Array.from({ length: layers }, (_, layer): KeysValues => {
    const input = (what: string): Tensor => graph.input(`past_${what}.${layer}`, [1, groups, 'past', width]);
    return { keys: input('keys'), values: input('values') };
  });
  const rows = graph.shapeOf(ids, 0, 1);
  const spread = graph.emit('Concat', [rows, graph.integers([1, 1, 1])], [4], { axis: 0 }, 'int64');
  /** What stands before, for every row, and behind it what is in the row. */
  const behind = (before: Tensor, own: Tensor): Tensor => {
    const everywhere = graph.emit('Expand', [before, spread], ['batch', groups, 'past', width]);
    return graph.emit('Concat', [everywhere, own], ['batch', groups, 'keys', width], { axis: 2 });
  };
  const { cos, sin } = decoderRope(source, positions);
  const ofAllHeads = (t: Tensor): Tensor =>
    graph.emit('Unsqueeze', [t, graph.integers([1])], ['batch', 1, 'sequence', width]);
  const sight: Sight = {
    rope: { cos: ofAllHeads(cos), sin: ofAllHeads(sin) },
    hide: hideForeign(graph, { positions, items, past: past[0]!.keys }),
    recall(layer, own) {
      graph.output(own.keys, `keys.${layer}`);
      graph.output(own.values, `values.${layer}`);
      const before = past[layer]!;
      return { keys: behind(before.keys, own.keys), values: behind(before.values, own.values) };
    },
  };
  const states = decoderStates(source, ids, sight, (embeddings) =>
    graph.emit('ScatterND', [embeddings, places, vectors], embeddings.shape),
  );
  const last = graph.emit('GatherND', [states, ends], ['items', hidden]);
  graph.output(graph.matmul(last, wordColumns(source, words)), 'logits');
  return { onnx: graph.build(), externalFolder: weightsFolder, layers, groups, width, hidden };
}
