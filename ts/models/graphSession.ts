import { SeineError, show } from '../core/errors.ts';
import { openCheckpoint } from '../graph/checkpoint.ts';
import { type Head, writeTransformer } from '../graph/writeTransformer.ts';
import type { OpenModelOptions } from './contracts.ts';
import type { ModelFiles } from './resolveModel.ts';
import { openSession, type Session } from './session.ts';
import { readJson } from './tokenizer.ts';

/** A model's session with its configuration. */
export interface GraphSession {
  session: Session;
  config: Readonly<Record<string, unknown>>;
}

/**
 * Opens the ONNX graph of a model or, where it has none, writes one for its safetensors or GGUF weights: hidden states
 * for an embedder, the logits of a sequence classification model for a ranker.
 */
export async function openGraphSession(files: ModelFiles, options: OpenModelOptions): Promise<GraphSession> {
  if (files.graph.endsWith('.onnx')) {
    const config = await readJson(files.files['config.json']!);
    return { session: await openSession(files.graph, options), config };
  }
  const checkpoint = openCheckpoint(files.directory);
  const { onnx, externalFolder } = writeTransformer(checkpoint, headOf(files, checkpoint.config));
  return { session: await openSession(onnx, { ...options, externalFolder }), config: checkpoint.config };
}

function headOf(files: ModelFiles, { architectures }: Readonly<Record<string, unknown>>): Head {
  if (files.kind === 'embedder') return { kind: 'states' };
  const named: unknown[] = Array.isArray(architectures) ? architectures : [];
  if (named.some((name) => String(name).endsWith('ForSequenceClassification'))) return { kind: 'classifier' };
  throw new SeineError(
    'ERR_MODEL',
    `The ranker ${files.name} should be a model for sequence classification, but its architectures are ` +
      `${show(architectures)}: choose a cross-encoder.`,
  );
}
