// Ingest-like encoding of real postings against plain ONNX Runtime on the very same batches, interleaved.
// node scripts/bench.mjs encode [postings = 2000]
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { performance } from 'node:perf_hooks';
import ort from 'onnxruntime-node';
import { threadBudget } from '../ts/core/threads.ts';
import { batches } from '../ts/models/batches.ts';
import { openEncoder } from '../ts/models/encoder.ts';
import { resolveModel } from '../ts/models/resolveModel.ts';
import { openTokenizer, type TokenIds } from '../ts/models/tokenizer.ts';

const MODEL = '../shared/models/all-MiniLM-L6-v2';
const CORPUS = '../shared/data/jobs/corpus.jsonl';
const MAX_TOKENS = 256;
/** As the encoder's own batches. */
const BATCH_TOKENS = 4096;
const ROUND = 100;

const wanted = Number(process.argv[2] ?? 2000);
const lines = readFileSync(CORPUS, 'utf8')
  .split('\n')
  .filter((line) => line !== '');
const texts = Array.from({ length: wanted }, (_, i) => {
  const { title, text } = JSON.parse(lines[Math.floor((i * lines.length) / wanted)]!) as Record<
    string,
    string
  >;
  return `${title} ${text}`;
});

const files = await resolveModel(MODEL, 'embedder');
const tokenizer = await openTokenizer(files.files['tokenizer.json']!, files.files['tokenizer_config.json']);
const encoder = await openEncoder(MODEL, { maxTokens: MAX_TOKENS });
const plain = await ort.InferenceSession.create(files.graph, {
  executionProviders: ['cpu'],
  intraOpNumThreads: threadBudget(),
  logSeverityLevel: 4,
});

function feeds(batch: TokenIds[]): Record<string, ort.Tensor> {
  const sequence = Math.max(...batch.map(({ ids }) => ids.length));
  const tensor = (fill: (item: TokenIds, at: number) => number): ort.Tensor => {
    const data = batch.flatMap((item) => Array.from({ length: sequence }, (_, at) => BigInt(fill(item, at))));
    return new ort.Tensor('int64', BigInt64Array.from(data), [batch.length, sequence]);
  };
  return {
    input_ids: tensor(({ ids }, at) => ids[at] ?? 0),
    attention_mask: tensor(({ ids }, at) => (at < ids.length ? 1 : 0)),
    token_type_ids: tensor(() => 0),
  };
}

const total = { tokens: 0, padded: 0, encoder: 0, plain: 0, tokenizer: 0 };
const cpu = { encoder: 0, plain: 0 };
const ratios: number[] = [];
await encoder.encode(texts.slice(0, 8), { kind: 'document' });
await plain.run(feeds(texts.slice(0, 8).map((text) => tokenizer.single(text, MAX_TOKENS))));
for (let start = 0; start < texts.length; start += ROUND) {
  const round = texts.slice(start, start + ROUND);
  const tokenStart = performance.now();
  const tokens = round.map((text) => tokenizer.single(text, MAX_TOKENS));
  total.tokenizer += performance.now() - tokenStart;
  const lengths = tokens.map(({ ids }) => ids.length);
  const groups = [...batches(lengths, BATCH_TOKENS)].map((places) => places.map((i) => tokens[i]!));
  const fed = groups.map(feeds);
  for (const batch of groups) {
    total.padded += batch.length * Math.max(...batch.map(({ ids }) => ids.length));
    for (const { ids } of batch) total.tokens += ids.length;
  }
  const runs = {
    encoder: async () => void (await encoder.encode(round, { kind: 'document' })),
    plain: async () => {
      for (const feed of fed) await plain.run(feed);
    },
  };
  const spent = { encoder: 0, plain: 0 };
  const order = (start / ROUND) % 2 === 0 ? (['encoder', 'plain'] as const) : (['plain', 'encoder'] as const);
  for (const which of order) {
    const cpuBefore = process.cpuUsage();
    const began = performance.now();
    await runs[which]();
    spent[which] = performance.now() - began;
    total[which] += spent[which];
    const { user, system } = process.cpuUsage(cpuBefore);
    cpu[which] += user + system;
  }
  ratios.push(spent.plain / spent.encoder);
}
await encoder.close();
await plain.release();

ratios.sort((a, b) => a - b);
const perSecond = (ms: number): number => Math.round((total.tokens / ms) * 1000);
const result = {
  command: `node scripts/bench.mjs encode ${wanted}`,
  machine: `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores`,
  versions: { node: process.versions.node, onnxruntime: ort.env.versions.node },
  model: files.name,
  postings: wanted,
  tokens: total.tokens,
  paddingShare: Number((1 - total.tokens / total.padded).toFixed(4)),
  encoderTokensPerSecond: perSecond(total.encoder),
  plainTokensPerSecond: perSecond(total.plain),
  ratio: Number((total.plain / total.encoder).toFixed(4)),
  medianRatioOfRounds: Number(ratios[Math.floor(ratios.length / 2)]!.toFixed(4)),
  /** The same in time of the processor, which other programs on the machine disturb less. */
  cpuTimeRatio: Number((cpu.plain / cpu.encoder).toFixed(4)),
  rounds: ratios.length,
  tokenizerTokensPerSecond: perSecond(total.tokenizer),
};
mkdirSync('bench/results', { recursive: true });
writeFileSync('bench/results/encode.json', `${JSON.stringify(result, null, 2)}\n`);
console.log(result);
