import { SeineError } from '../core/errors.ts';
import { isDirectory } from '../core/files.ts';
import { openCheckpoint } from '../graph/checkpoint.ts';
import { type WriteModelOptions, type WrittenModel, writeModelDirectory } from './writeModelDirectory.ts';

/**
 * Writes a model that lies as safetensors or GGUF as a directory that transformers, sentence-transformers,
 * transformers.js and ONNX Runtime open. Errors: `ERR_NOT_FOUND`, and those of `openCheckpoint` and
 * `writeModelDirectory`.
 */
export async function exportCheckpoint(
  source: string,
  target: string,
  options: Omit<WriteModelOptions, 'onTensor'> & {
    onTensor?: (done: number, total: number) => void;
  } = {},
): Promise<WrittenModel> {
  if (!isDirectory(source)) {
    throw new SeineError('ERR_NOT_FOUND', `A model's directory should be at ${source}: check the path.`);
  }
  const checkpoint = openCheckpoint(source);
  return writeModelDirectory(checkpoint, target, {
    signal: options.signal,
    onTensor: (done) => options.onTensor?.(done, checkpoint.tensors.size),
  });
}
