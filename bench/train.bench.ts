// A training step of a cross-encoder of MiniLM's size (forward, backward, clipping, AdamW) against PyTorch's, in turns,
// with the same weights, batch and losses. npm run bench -- train [--quick] [--json]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { random } from '../ts/core/random.ts';
import { NativeAdamW } from '../ts/device/nativeAdamW.ts';
import { writeSafetensors } from '../ts/graph/safetensors.ts';
import { TrainableTransformer } from '../ts/graph/trainableTransformer.ts';
import { type Batch, Gradients } from '../ts/train/gradients.ts';
import { listTargets, listwiseLoss } from '../ts/train/losses/listwise.ts';
import { readFlags } from './measure/flags.ts';
import { interleaved } from './measure/interleaved.ts';
import { deliver, origin } from './measure/resultFile.ts';
import { type Sample, sample } from './measure/sample.ts';
import { summary } from './measure/summary.ts';
import { openPeers } from './peers/openPeers.ts';

const CONFIG = {
  model_type: 'bert',
  architectures: ['BertForSequenceClassification'],
  hidden_size: 384,
  intermediate_size: 1536,
  num_attention_heads: 12,
  num_hidden_layers: 6,
  vocab_size: 30_522,
  max_position_embeddings: 512,
  type_vocab_size: 2,
  layer_norm_eps: 1e-12,
  hidden_dropout_prob: 0,
  attention_probs_dropout_prob: 0,
  num_labels: 1,
  id2label: { 0: 'relevance' },
  label2id: { relevance: 0 },
};
const SHAPE = { lists: 2, size: 8, length: 128 };
const STEP = { rate: 1e-5, clipNorm: 1, weightDecay: 0.01 };
/** Losses of the same steps may differ by rounding only. */
const TOLERANCE = 1e-3;

const flags = readFlags();
const folder = mkdtempSync(join(tmpdir(), 'seine-bench-train-'));
const peers = await openPeers(['trainTorch']);
const torch = peers.started.get('trainTorch');
try {
  const { lists, size, length } = SHAPE;
  const pairs = lists * size;
  const generator = random(1);
  const model = new TrainableTransformer(
    { directory: folder, config: CONFIG, tensors: new Map(), weightsFolder: folder },
    (source, family, inputs, states) => family.classify(source, inputs, states, 1),
  );
  const parameters = new Float32Array(model.layout.size);
  for (const { name, shape, offset, size: count } of model.layout.entries) {
    const part = parameters.subarray(offset, offset + count);
    if (shape.length > 1) for (let i = 0; i < count; i++) part[i] = 0.05 * generator.normal();
    else part.fill(name.endsWith('LayerNorm.weight') ? 1 : 0);
  }
  const ids = BigInt64Array.from({ length: pairs * length }, () =>
    BigInt(generator.below(CONFIG.vocab_size)),
  );
  const targets = new Float32Array(pairs);
  for (let list = 0; list < lists; list++) {
    targets.set(listTargets(Array.from({ length: size }, () => generator.below(4))), list * size);
  }
  writeFileSync(join(folder, 'config.json'), JSON.stringify(CONFIG));
  writeFileSync(join(folder, 'ids.bin'), ids);
  writeFileSync(join(folder, 'targets.bin'), targets);
  await writeSafetensors(join(folder, 'model.safetensors'), model.named(parameters), { format: 'pt' });
  await torch?.ask({ op: 'open', folder, ...SHAPE, ...STEP });

  const dims = [pairs, length];
  const batch: Batch = {
    'pair.ids': { type: 'int64', dims, data: ids },
    'pair.mask': { type: 'int64', dims, data: new BigInt64Array(ids.length).fill(1n) },
    'pair.types': { type: 'int64', dims, data: new BigInt64Array(ids.length) },
    targets: { type: 'float32', dims: [lists, size], data: targets },
  };
  const gradients = new Gradients(
    {
      layout: model.layout,
      loss(net, weights) {
        const logits = model.apply(net, weights, model.inputs(net, 'pair', [pairs, 'length']));
        return listwiseLoss(
          net,
          net.reshape(logits, [lists, size]),
          net.graph.input('targets', [lists, size]),
        );
      },
    },
    parameters,
  );
  const state = {
    parameters,
    mean: new Float32Array(parameters.length),
    variance: new Float32Array(parameters.length),
  };
  const adamW = new NativeAdamW({ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, ...STEP });
  const losses: Record<'seine' | 'torch', number[]> = { seine: [], torch: [] };
  const peakBytes: Record<string, number> = {};

  const engines: Record<string, () => Promise<Sample>> = {
    seine: async () => {
      const step = losses.seine.length + 1;
      const taken = await sample(async () => {
        const { loss, gradient } = await gradients.of(step, [batch]);
        losses.seine.push(loss);
        const norm = await adamW.norm(gradient);
        await adamW.step(state, gradient, { norm, step, rate: STEP.rate, decayed: model.layout.decayed });
      });
      peakBytes.seine = process.resourceUsage().maxRSS * 1024;
      return taken;
    },
    ...(torch && {
      torch: async () => {
        const answer = (await torch.ask({ op: 'step' })) as Sample & { loss: number; peakBytes: number };
        losses.torch.push(answer.loss);
        peakBytes.torch = answer.peakBytes;
        return { ms: answer.ms, cpuMs: answer.cpuMs };
      },
    }),
  };
  const samples = await interleaved(engines, { rounds: flags.quick ? 3 : 15, seconds: 120 });
  await gradients.release();
  const apart = Math.max(...losses.torch.map((loss, i) => Math.abs(loss - losses.seine[i]!)), 0);
  if (apart > TOLERANCE) throw new Error(`Losses of the same steps should agree but are ${apart} apart.`);
  const result = {
    ...origin('train', peers.versions),
    note:
      `Milliseconds of a step over ${pairs} pairs of ${length} tokens (${parameters.length} parameters): forward, ` +
      'backward, clipping, AdamW, float32. peakBytes is the greatest memory of the process.',
    ...SHAPE,
    parameters: parameters.length,
    lossesApart: apart,
    peakBytes,
    ...summary('seine', samples),
  };
  const { median, ratio } = result;
  const megabytes = (bytes: number | undefined): number => Math.round((bytes ?? 0) / 1e6);
  console.error(
    `${median.seine!.ms} ms, ${megabytes(peakBytes.seine)} MB; ` +
      (torch ? `torch ×${ratio.torch!.median}, ${megabytes(peakBytes.torch)} MB` : 'torch is missing'),
  );
  deliver('train', result, flags);
} finally {
  peers.stop();
  rmSync(folder, { recursive: true });
}
