import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SeineError, show } from '../core/errors.ts';
import type { Checkpoint } from '../graph/checkpoint.ts';
import type { Head } from '../graph/writeTransformer.ts';

/**
 * What a model gives out by its own files: hidden states if it has `modules.json` or no head, labels, or the words of
 * a decoder. Throws `ERR_MODEL` for other heads.
 */
export function headOf({ directory, config }: Pick<Checkpoint, 'directory' | 'config'>): Head {
  const architectures = Array.isArray(config.architectures) ? config.architectures.map(String) : [];
  const ends = (ending: string): boolean => architectures.some((name) => name.endsWith(ending));
  if (existsSync(join(directory, 'modules.json')) || architectures.length === 0 || ends('Model')) {
    return { kind: 'states' };
  }
  if (ends('ForSequenceClassification')) return { kind: 'classifier' };
  if (ends('ForCausalLM')) return { kind: 'language' };
  throw new SeineError(
    'ERR_MODEL',
    `The model at ${directory} should be an embedder, a model for sequence classification or one that predicts the ` +
      `next word, but its architectures are ${show(architectures.join(', '))}: choose another model.`,
  );
}
