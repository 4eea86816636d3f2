import { SeineError, show } from '../core/errors.ts';
import { openCheckpoint } from '../graph/checkpoint.ts';
import { type Head, writeTransformer } from '../graph/writeTransformer.ts';
import type { OpenModelOptions } from './contracts.ts';
import type { ModelFiles } from './resolveModel.ts';
import { openSession, type Session } from './session.ts';
import { readJson } from './tokenizer.ts';

/** A model's configuration, and its graph, which is not opened yet. */
export interface ModelGraph {
  config: Readonly<Record<string, unknown>>;
  open(options: OpenModelOptions): Promise<Session>;
}

/**
 * The ONNX graph of a model or, where it has none, the one that is written for its safetensors or GGUF weights: hidden
 * states for an embedder, the logits of a sequence classification model for a ranker.
 */
export async function modelGraph(files: ModelFiles): Promise<ModelGraph> {
  if (files.graph.endsWith('.onnx')) {
    const config = await readJson(files.files['config.json']!);
    return {
      config,
      open: async ({ precision = 'f32', ...options }) => {
        if (precision === 'f32') return openSession(files.graph, options);
        throw new SeineError(
          'ERR_ARGUMENT',
          `precision ${precision} needs a model that opens from its weights, but ${files.name} has the graph ` +
            `${files.graph}: leave precision out, or remove the graph from a directory that has safetensors as well.`,
        );
      },
    };
  }
  const checkpoint = openCheckpoint(files.directory);
  const { config } = checkpoint;
  return {
    config,
    open: async (options) => {
      const { onnx, externalFolder } = writeTransformer(checkpoint, headOf(files, config), {
        precision: options.precision,
      });
      return openSession(onnx, { ...options, externalFolder });
    },
  };
}

function headOf(files: ModelFiles, { architectures }: Readonly<Record<string, unknown>>): Head {
  if (files.kind === 'embedder') return { kind: 'states' };
  const named: unknown[] = Array.isArray(architectures) ? architectures : [];
  if (named.some((name) => String(name).endsWith('ForSequenceClassification'))) return { kind: 'classifier' };
  throw new SeineError(
    'ERR_MODEL',
    `The ranker ${files.name} should be a model for sequence classification, but its architectures are ` +
      `${show(architectures)}: choose a cross-encoder, or a language model of Llama, Qwen2 or Qwen3.`,
  );
}
