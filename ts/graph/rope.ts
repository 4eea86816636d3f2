import type { Graph, Tensor } from './graph.ts';
import type { ModelConfig } from './modelConfig.ts';

/** Cosine and sine of every position's angles, each twice, `[..., sequence, dim]`. */
export interface Rope {
  cos: Tensor;
  sin: Tensor;
}

/** `positions` `[..., sequence]` float32; `frequencies` `[dim / 2]` in radians a position. */
export function ropeOf(graph: Graph, positions: Tensor, frequencies: Float32Array, name: string): Rope {
  const dim = 2 * frequencies.length;
  const twice = new Float32Array(dim);
  twice.set(frequencies);
  twice.set(frequencies, frequencies.length);
  const column = graph.emit('Unsqueeze', [positions, graph.integers([-1])], [...positions.shape, 1]);
  const angles = graph.binary('Mul', column, graph.constantVector(name, twice));
  return { cos: graph.unary('Cos', angles), sin: graph.unary('Sin', angles) };
}

/** `theta^(−2i / dim)` for i = 0 to dim / 2 − 1. */
export function frequenciesOf(theta: number, dim: number): Float32Array {
  return Float32Array.from({ length: dim / 2 }, (_, i) => theta ** ((-2 * i) / dim));
}

/**
 * The frequencies of a decoder: plain, or slowed down as Llama 3.1 does (`rope_type` llama3). Newer configurations
 * have `rope_parameters`, older ones `rope_theta` and `rope_scaling`. Throws `ERR_MODEL` for other kinds of scaling.
 */
export function decoderFrequencies(config: ModelConfig, dim: number): Float32Array {
  const { rope_parameters: newer, rope_scaling: older, rope_frequency_factors: factors } = config.fields;
  const isRecord = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null;
  const scaling = isRecord(newer) ? newer : isRecord(older) ? older : {};
  const theta =
    typeof scaling.rope_theta === 'number' ? scaling.rope_theta : config.number('rope_theta', 10_000);
  const plain = frequenciesOf(theta, dim);
  if (Array.isArray(factors)) return plain.map((frequency, i) => frequency / factors[i]);
  const kind = scaling.rope_type ?? scaling.type ?? 'default';
  if (kind === 'default') return plain;
  const {
    factor,
    low_freq_factor: low,
    high_freq_factor: high,
    original_max_position_embeddings: original,
  } = scaling;
  const known = [factor, low, high, original].every((value) => typeof value === 'number' && value > 0);
  if (kind !== 'llama3' || !known) {
    throw config.wrong(isRecord(newer) ? 'rope_parameters' : 'rope_scaling', 'of the type default or llama3');
  }
  return plain.map((frequency) =>
    llama3(frequency, ...([factor, low, high, original] as [number, number, number, number])),
  );
}

/** Long waves are slowed down by `factor`, short ones are left, those between are mixed. */
function llama3(frequency: number, factor: number, low: number, high: number, original: number): number {
  const length = (2 * Math.PI) / frequency;
  if (length < original / high) return frequency;
  if (length > original / low) return frequency / factor;
  const share = (original / length - low) / (high - low);
  return ((1 - share) * frequency) / factor + share * frequency;
}
