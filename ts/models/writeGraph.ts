import { constants, copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomic } from '../core/files.ts';
import { type Checkpoint, WEIGHTS } from '../graph/checkpoint.ts';
import { type Head, writeTransformer } from '../graph/writeTransformer.ts';
import { GRAPHS } from './layout.ts';

/** Where a graph's weights lie that it cannot hold: the name that transformers.js looks for. */
const DATA = 'model.onnx_data';
/** A protocol buffer holds 2 GiB; some of it is left to the nodes. */
const MOST_WEIGHTS = 2 ** 31 - 2 ** 26;

/**
 * Writes `onnx/model.onnx` of a checkpoint whose weights are one safetensors file. The graph holds the weights if they
 * have at most `mostWeights` bytes; if not, they lie beside it in a copy of that file. Says whether they do.
 */
export async function writeGraph(
  checkpoint: Checkpoint,
  head: Head,
  mostWeights = MOST_WEIGHTS,
): Promise<{ external: boolean }> {
  const { directory, tensors } = checkpoint;
  const graph = join(directory, GRAPHS[0]);
  const data = join(directory, 'onnx', DATA);
  mkdirSync(join(directory, 'onnx'), { recursive: true });
  const bytes = [...tensors.values()].reduce((sum, tensor) => sum + tensor.bytes, 0);
  const external = bytes > mostWeights;
  if (external) copyFileSync(join(directory, WEIGHTS[0]), data, constants.COPYFILE_FICLONE);
  const there = new Map([...tensors].map(([name, tensor]) => [name, { ...tensor, path: data }]));
  const { onnx } = external
    ? writeTransformer({ ...checkpoint, tensors: there }, head)
    : writeTransformer(checkpoint, head, { place: 'graph' });
  await writeAtomic(graph, onnx);
  return { external };
}
