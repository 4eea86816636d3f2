import { SeineError, show } from '../core/errors.ts';
import { Autodiff } from './autodiff.ts';
import type { Checkpoint } from './checkpoint.ts';
import { decoder } from './families/decoder.ts';
import type { Source, TextInputs } from './families/family.ts';
import { familyOf } from './families/familyOf.ts';
import type { Tensor } from './graph.ts';
import { ModelConfig } from './modelConfig.ts';
import { lastTokens } from './positions.ts';
import { type GraphPooling, poolStates, unitLength } from './sentenceEmbedding.ts';
import { TransformerWeights, type WeightsForm } from './transformerWeights.ts';
import { wordColumns } from './wordColumns.ts';

/** What the graph of a transformer gives out. */
export type Head =
  /** `last_hidden_state` `[batch, sequence, hidden]` */
  | { kind: 'states' }
  /** `sentence_embedding` `[batch, hidden]` */
  | { kind: 'embedding'; pooling: GraphPooling; normalize: boolean }
  /** `logits` `[batch, labels]` of a model for sequence classification */
  | { kind: 'classifier' }
  /** `logits` `[batch, ids]`: of these words alone, after the last token of a text; decoders only */
  | { kind: 'words'; ids: readonly number[] }
  /** `logits` `[batch, sequence, vocabulary]`; decoders only */
  | { kind: 'language' };

/** A graph; plain weights that are not in it lie in `externalFolder`. */
export interface WrittenTransformer {
  onnx: Uint8Array;
  externalFolder: string;
}

/**
 * Writes the graph of a checkpoint. Inputs `input_ids`, `attention_mask` and, for BERT, `token_type_ids`, int64
 * `[batch, sequence]`, padding on the right. Reads weights that go into the graph at once: for worker threads and tools.
 * Errors: `ERR_MODEL` if the architecture is not known, a field or a tensor is missing, or the head does not fit.
 */
export function writeTransformer(
  checkpoint: Checkpoint,
  head: Head,
  form: WeightsForm = {},
): WrittenTransformer {
  const { directory, weightsFolder } = checkpoint;
  const config = new ModelConfig(checkpoint.config, directory);
  const family = familyOf(config, directory);
  const net = new Autodiff();
  const { graph } = net;
  const input = (name: string): Tensor => graph.input(name, ['batch', 'sequence'], 'int64');
  const inputs: TextInputs = {
    ids: input('input_ids'),
    mask: input('attention_mask'),
    types: family.takesTypes ? input('token_type_ids') : undefined,
  };
  const weights = new TransformerWeights(graph, checkpoint, family.prefix, form);
  const source: Source = { net, config, weights };
  const states = family.states(source, inputs);
  switch (head.kind) {
    case 'states':
      graph.output(states, 'last_hidden_state');
      break;
    case 'embedding': {
      const pooled = poolStates(net, states, inputs.mask, head.pooling);
      graph.output(head.normalize ? unitLength(net, pooled) : pooled, 'sentence_embedding');
      break;
    }
    case 'classifier':
      graph.output(family.classify(source, inputs, states, labelsOf(config)), 'logits');
      break;
    default: {
      if (family !== decoder) {
        throw new SeineError(
          'ERR_MODEL',
          `The model at ${directory} should be a decoder, to predict words, but is of the type ` +
            `${show(config.fields.model_type)}: choose another model.`,
        );
      }
      const from = head.kind === 'language' ? states : lastTokens(net, states, inputs.mask);
      const columns = wordColumns(source, head.kind === 'words' ? head.ids : undefined);
      graph.output(net.matmul(from, columns), 'logits');
    }
  }
  return { onnx: graph.build(), externalFolder: weightsFolder };
}

/** Number of labels; Hugging Face takes 2 where a configuration names none. */
function labelsOf(config: ModelConfig): number {
  const { id2label: labels } = config.fields;
  if (typeof labels === 'object' && labels !== null) return Object.keys(labels).length;
  return config.count('num_labels', 2);
}
