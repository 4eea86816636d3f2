// Cross-encoders and embedders by transformers.js on ONNX Runtime, for bench/rank.bench.ts and bench/encode.bench.ts:
// { op: 'open', folder, tokens }, { op: 'score', query, documents }, { op: 'openEmbedder', folder, tokens },
// { op: 'encode', texts }. It batches nothing itself, so texts go in batches of 32, sorted by length.
import { basename, dirname } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { load, THREADS, versionOf } from './answerLines.mjs';

const NAME = '@huggingface/transformers';
const BATCH = 32;

const { AutoModel, AutoModelForSequenceClassification, AutoTokenizer, env, mean_pooling } = load(NAME);
env.allowRemoteModels = false;
let [tokenizer, model, maxLength] = [];

/** `subfolder`: where the ONNX file lies. */
async function open(kind, { folder, tokens }, subfolder = 'onnx') {
  env.localModelPath = dirname(folder);
  tokenizer = await AutoTokenizer.from_pretrained(basename(folder));
  model = await kind.from_pretrained(basename(folder), {
    dtype: 'fp32',
    subfolder,
    session_options: { intraOpNumThreads: THREADS },
  });
  maxLength = tokens;
  return {};
}

/** `run(places)` gives the values of a batch, as many for each text; all of them in the order of `texts`, with times. */
async function inBatches(texts, run) {
  const [began, before] = [performance.now(), process.cpuUsage()];
  const order = [...texts.keys()].sort((a, b) => texts[b].length - texts[a].length);
  const values = [];
  for (let first = 0; first < order.length; first += BATCH) {
    const places = order.slice(first, first + BATCH);
    const found = await run(places);
    const width = found.length / places.length;
    for (const [slot, i] of places.entries()) {
      for (let j = 0; j < width; j++) values[i * width + j] = found[slot * width + j];
    }
  }
  const ms = performance.now() - began;
  const { user, system } = process.cpuUsage(before);
  return { ms, cpuMs: (user + system) / 1000, values };
}

const ops = {
  greet: () => ({
    versions: { 'transformers.js': versionOf(NAME) },
    threads: THREADS,
    engines: { 'transformers.js': { metrics: [], batches: [] } },
  }),
  open: (request) => open(AutoModelForSequenceClassification, request),
  score: ({ query, documents }) =>
    inBatches(documents, async (places) => {
      const pair = {
        text_pair: places.map((i) => documents[i]),
        padding: true,
        truncation: true,
        max_length: maxLength,
      };
      return (await model(tokenizer(new Array(places.length).fill(query), pair))).logits.data;
    }),
  openEmbedder: (request) => open(AutoModel, request, ''),
  encode: ({ texts }) =>
    inBatches(texts, async (places) => {
      const options = { padding: true, truncation: true, max_length: maxLength };
      const inputs = tokenizer(
        places.map((i) => texts[i]),
        options,
      );
      const { last_hidden_state: states } = await model(inputs);
      return mean_pooling(states, inputs.attention_mask).normalize(2, -1).data;
    }),
};
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  console.log(JSON.stringify(await ops[request.op](request)));
}
