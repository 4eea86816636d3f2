import { Autodiff } from '../../graph/autodiff.ts';
import type { Checkpoint } from '../../graph/checkpoint.ts';
import type { Source, Weights } from '../../graph/families/family.ts';
import { familyOf } from '../../graph/families/familyOf.ts';
import type { Tensor } from '../../graph/graph.ts';
import { ModelConfig } from '../../graph/modelConfig.ts';
import { TransformerWeights } from '../../graph/transformerWeights.ts';
import type { WrittenTransformer } from '../../graph/writeTransformer.ts';

/** Name of the output for a matrix, which has a name of its own in the graph. */
export const gramOf = (matrix: string): string => `${matrix}.gram`;

/**
 * The graph of a checkpoint with an output for each of the named matrices: the Gram matrix `Xᵀ·X [columns, columns]`
 * of what the matrix reads, summed over the tokens of a batch, padding left out.
 */
export function calibrationGraph(checkpoint: Checkpoint, matrices: readonly string[]): WrittenTransformer {
  const config = new ModelConfig(checkpoint.config, checkpoint.directory);
  const family = familyOf(config, checkpoint.directory);
  const net = new Watching();
  const { graph } = net;
  const input = (name: string): Tensor => graph.input(name, ['batch', 'sequence'], 'int64');
  const [ids, mask] = [input('input_ids'), input('attention_mask')];
  const types = family.takesTypes ? input('token_type_ids') : undefined;
  const stored = new TransformerWeights(graph, checkpoint, family.prefix);
  const named = new Map<string, Tensor>();
  const weights: Weights = {
    get: (name, shape) => stored.get(name, shape),
    matrix(name, from, to) {
      const tensor = stored.matrix(name, from, to);
      named.set(name, tensor);
      return tensor;
    },
  };
  const source: Source = { net, config, weights };
  family.states(source, { ids, mask, types });
  const present = graph.emit(
    'Unsqueeze',
    [graph.cast(mask, 'float32'), graph.integers([2])],
    ['batch', 'sequence', 1],
  );
  for (const name of matrices) {
    const x = net.read.get(named.get(name)!.name)!;
    const width = x.shape.at(-1) as number;
    const tokens = graph.emit(
      'Reshape',
      [graph.binary('Mul', x, present), graph.integers([-1, width])],
      ['tokens', width],
    );
    graph.output(graph.gemm(tokens, tokens, { transA: true }), gramOf(name));
  }
  return { onnx: graph.build(), externalFolder: checkpoint.weightsFolder };
}

/** Remembers what each matrix reads. */
class Watching extends Autodiff {
  readonly read = new Map<string, Tensor>();

  override linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
    this.read.set(weight.name, x);
    return super.linear(x, weight, bias);
  }
}
