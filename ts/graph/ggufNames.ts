import { SeineError, show } from '../core/errors.ts';
import type { CheckpointTensor } from './checkpointTensor.ts';
import type { Gguf } from './gguf.ts';
import { type GgufArchitecture, GgufFields } from './ggufArchitecture.ts';
import { ggufBert } from './ggufBert.ts';
import { FREQUENCY_FACTORS, ggufDecoder } from './ggufDecoder.ts';

const ARCHITECTURES: readonly GgufArchitecture[] = [ggufDecoder, ggufBert];

/** A GGUF by the names of Hugging Face. */
export interface NamedGguf {
  /** `config.json` as the metadata tell it. */
  config: Record<string, unknown>;
  /** Values that `model_type` may have in a `config.json` beside it. */
  types: readonly string[];
  tensors: Map<string, CheckpointTensor>;
}

/**
 * The configuration and the tensors of a GGUF under their Hugging Face names. llama.cpp keeps the rows of a Llama's
 * queries and keys so that RoPE turns neighbours, not halves: these say so by `interleaved`. Throws `ERR_MODEL` for an
 * architecture or a tensor that is not known.
 */
export function ggufNames(gguf: Gguf, path: string): NamedGguf {
  const name = gguf.metadata.get('general.architecture');
  const architecture = ARCHITECTURES.find(({ names }) => names.includes(name as string));
  if (architecture === undefined) {
    throw new SeineError(
      'ERR_MODEL',
      `${path} should be of one of the architectures ${ARCHITECTURES.flatMap(({ names }) => names).join(', ')}, but is ` +
        `of ${show(name)}: choose another model.`,
    );
  }
  const config = architecture.configOf(new GgufFields(gguf, name as string, path));
  const tensors = new Map<string, CheckpointTensor>();
  for (const [key, tensor] of gguf.tensors) {
    if (key === FREQUENCY_FACTORS) continue;
    const [, layer, part, kind] = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(key) ?? [];
    const inner = architecture.ofLayer[part ?? ''];
    const known = architecture.top[key] ?? (inner && `${architecture.layers}.${layer}.${inner}.${kind}`);
    if (known === undefined) {
      throw new SeineError(
        'ERR_MODEL',
        `${path} has a tensor ${show(key)}, which Seine knows of no ${name}: choose another model.`,
      );
    }
    const turned = name === 'llama' && (part === 'attn_q' || part === 'attn_k');
    const heads = Number(part === 'attn_q' ? config.num_attention_heads : config.num_key_value_heads);
    tensors.set(known, turned ? { ...tensor, interleaved: heads } : tensor);
  }
  return { config, types: architecture.types(name as string), tensors };
}
