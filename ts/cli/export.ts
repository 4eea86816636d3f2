import { Command } from 'commander';
import { count, duration } from '../core/progress.ts';
import { exportCheckpoint } from '../models/exportCheckpoint.ts';
import { interruptSignal } from './interrupt.ts';
import { addOutputOptions } from './options.ts';
import { type OutputOptions, output } from './output.ts';

export function exportCommand(): Command {
  const command = new Command('export')
    .summary('write a model for other programs')
    .description(
      'Writes a model that lies as safetensors or GGUF (BERT, RoBERTa, XLM-R, ModernBERT, Llama, Qwen2, Qwen3) as a ' +
        'new directory with model.safetensors, config.json, the tokenizer and onnx/model.onnx, which transformers, ' +
        'sentence-transformers, transformers.js and ONNX Runtime open.',
    )
    .argument('<model>', 'directory of the model')
    .argument('<dir>', 'directory that is made');
  return addOutputOptions(command)
    .addHelpText(
      'after',
      `
The graph takes input_ids, attention_mask and, for BERT, token_type_ids, int64 [batch, sequence] with padding on the
right. It gives last_hidden_state for an embedder, logits [batch, labels] for a classifier and logits
[batch, sequence, vocabulary] for a decoder, without a cache of keys and values. Halves stay halves, blocks of codes
become float32. Weights of more than 2 GiB lie beside the graph, in onnx/model.onnx_data.

Examples:
  $ seine export ./all-MiniLM-L6-v2 ./exported
  $ seine export ./SmolLM2-135M-Instruct ./exported --json | jq .files`,
    )
    .action(run);
}

async function run(model: string, directory: string, options: OutputOptions): Promise<void> {
  const out = output(options);
  const started = performance.now();
  const bar = out.progress('export', 'tensors');
  try {
    const { head, parameters, files } = await exportCheckpoint(model, directory, {
      signal: interruptSignal(),
      onTensor: (done, total) => bar.report(done, { fraction: done / total }),
    });
    bar.stop();
    const elapsed = performance.now() - started;
    if (options.json) out.object({ model, directory, head, parameters, files, elapsed });
    out.say(`${count(parameters)} parameters in ${duration(elapsed)}, written to ${directory}.`);
  } finally {
    bar.stop();
  }
}
