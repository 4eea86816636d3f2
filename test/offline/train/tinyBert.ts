import { join } from 'node:path';
import { random } from '../../../ts/core/random.ts';
import { bertShapes } from '../../../ts/graph/bert.ts';
import { WORD_EMBEDDINGS } from '../../../ts/graph/bertWeights.ts';
import { writeSafetensors } from '../../../ts/graph/safetensors.ts';
import { TOKENIZER, VOCAB, writeModel } from '../../models/tinyModel.ts';

const CONFIG = {
  model_type: 'bert',
  architectures: ['BertModel'],
  hidden_size: 32,
  intermediate_size: 64,
  num_attention_heads: 4,
  num_hidden_layers: 1,
  vocab_size: VOCAB.size,
  max_position_embeddings: 32,
  type_vocab_size: 2,
  layer_norm_eps: 1e-12,
  pad_token_id: 0,
};

/** Writes a BERT of one layer with random weights, as it would come from the hub, and returns its directory. */
export async function writeTinyBert(directory: string): Promise<string> {
  writeModel(directory, {
    'config.json': CONFIG,
    'tokenizer.json': TOKENIZER,
    'tokenizer_config.json': { pad_token: '[PAD]', model_max_length: 32 },
  });
  const generator = random(5);
  const shapes = { [WORD_EMBEDDINGS]: [VOCAB.size, CONFIG.hidden_size], ...bertShapes(CONFIG, 1) };
  const tensors = Object.entries(shapes)
    .filter(([name]) => !/^(pooler|classifier)/.test(name))
    .map(([name, shape]) => {
      const isMatrix = /(query|key|value|dense)\.weight$/.test(name);
      const size = shape.reduce((product, dim) => product * dim, 1);
      const norm = name.endsWith('LayerNorm.weight');
      const data = Float32Array.from({ length: size }, () => (norm ? 1 : 0.15 * generator.normal()));
      return [name, { shape: isMatrix ? shape.toReversed() : shape, data }] as const;
    });
  await writeSafetensors(join(directory, 'model.safetensors'), new Map(tensors), { format: 'pt' });
  return directory;
}

/** Letters that belong together: a with n, b with o, … */
export const PARTNERS = Array.from({ length: 13 }, (_, i): [query: string, document: string] => [
  String.fromCharCode(97 + i),
  String.fromCharCode(110 + i),
]);

/** Lines that teach the partners: a query with its document and three others. */
export function partnerLines(count: number, form: 'positives' | 'grades'): string {
  const generator = random(6);
  return Array.from({ length: count }, () => {
    const [right, ...wrong] = generator.shuffle([...PARTNERS]).slice(0, 4);
    const [query, positive] = right!;
    const negatives = wrong.map(([, document]) => document);
    const line =
      form === 'positives'
        ? { query, positives: [positive], negatives }
        : { query, documents: [...negatives, positive], grades: [0, 0, null, 2], scores: [-1, -1, null, 1] };
    return `${JSON.stringify(line)}\n`;
  }).join('');
}
