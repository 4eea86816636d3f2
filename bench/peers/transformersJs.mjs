// Cross-encoders by transformers.js on ONNX Runtime, for bench/rank.bench.ts: { op: 'open', folder, tokens },
// { op: 'score', query, documents }. It batches nothing itself, so pairs go in batches of 32, sorted by length.
import { basename, dirname } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { load, THREADS, versionOf } from './answerLines.mjs';

const NAME = '@huggingface/transformers';
const BATCH = 32;

const { AutoModelForSequenceClassification, AutoTokenizer, env } = load(NAME);
env.allowRemoteModels = false;
let [tokenizer, model, maxLength] = [];

const ops = {
  greet: () => ({
    versions: { 'transformers.js': versionOf(NAME) },
    threads: THREADS,
    engines: { 'transformers.js': { metrics: [], batches: [] } },
  }),
  open: async ({ folder, tokens }) => {
    env.localModelPath = dirname(folder);
    tokenizer = await AutoTokenizer.from_pretrained(basename(folder));
    model = await AutoModelForSequenceClassification.from_pretrained(basename(folder), {
      dtype: 'fp32',
      session_options: { intraOpNumThreads: THREADS },
    });
    maxLength = tokens;
    return {};
  },
  score: async ({ query, documents }) => {
    const [began, before] = [performance.now(), process.cpuUsage()];
    const order = [...documents.keys()].sort((a, b) => documents[b].length - documents[a].length);
    const scores = new Array(documents.length);
    for (let first = 0; first < order.length; first += BATCH) {
      const own = order.slice(first, first + BATCH);
      const pair = {
        text_pair: own.map((i) => documents[i]),
        padding: true,
        truncation: true,
        max_length: maxLength,
      };
      const { logits } = await model(tokenizer(new Array(own.length).fill(query), pair));
      for (const [slot, i] of own.entries()) scores[i] = logits.data[slot];
    }
    const ms = performance.now() - began;
    const { user, system } = process.cpuUsage(before);
    return { ms, cpuMs: (user + system) / 1000, scores };
  },
};
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  console.log(JSON.stringify(await ops[request.op](request)));
}
