// Vectors of job postings: an embedder against sentence-transformers and transformers.js on the same weights, and the
// default embedder, in turns.
// npm run bench -- encode [--quick] [--json]
import { resolve } from 'node:path';
import { DEFAULT_EMBEDDER } from '../ts/core/defaults.ts';
import { type Encoder, openEncoder } from '../ts/models/encoder.ts';
import { openTokenizer } from '../ts/models/tokenizer.ts';
import { type Answered, answered, compared, perSecond } from './measure/compared.ts';
import { readFlags } from './measure/flags.ts';
import { deliver, origin } from './measure/resultFile.ts';
import { openPeers } from './peers/openPeers.ts';
import type { Peer } from './peers/peer.ts';
import { postings } from './rank/postings.ts';
import type { EncodeCase, EncodeResult } from './report/results.ts';

const MODEL = resolve('../shared/models/all-MiniLM-L6-v2');
const TOKENS = 256;

const flags = readFlags();
const rounds = { rounds: flags.quick ? 3 : 9, seconds: flags.quick ? 15 : 90 };
const counts = flags.quick ? { titles: 200, postings: 32 } : { titles: 2000, postings: 400 };

const encodedBy = (encoder: Encoder, texts: string[]) => () =>
  answered(async () => (await encoder.encode(texts, { kind: 'document' })).vectors);
const askedOf = (peer: Peer, texts: string[]) => async () =>
  (await peer.ask({ op: 'encode', texts })) as Answered;

const peers = await openPeers(['sentenceTransformers', 'transformersJs']);
const tokenizer = await openTokenizer(`${MODEL}/tokenizer.json`, `${MODEL}/tokenizer_config.json`);
const encoder = await openEncoder(MODEL, { maxTokens: TOKENS });
const small = await openEncoder(DEFAULT_EMBEDDER, { maxTokens: TOKENS });
const cases: EncodeCase[] = [];
try {
  for (const peer of peers.started.values())
    await peer.ask({ op: 'openEmbedder', folder: MODEL, tokens: TOKENS });
  for (const form of ['titles', 'postings'] as const) {
    const texts = postings(form, counts[form]).documents;
    const tokens = texts.reduce((sum, text) => sum + tokenizer.single(text, TOKENS).ids.length, 0);
    const others = [...peers.started].map(([name, peer]) => [name, askedOf(peer, texts)] as const);
    const { differences, ...result } = await compared(
      {
        seine: encodedBy(encoder, texts),
        ...Object.fromEntries(others),
        [DEFAULT_EMBEDDER]: encodedBy(small, texts),
      },
      rounds,
    );
    // Another model: its vectors are others.
    delete differences[DEFAULT_EMBEDDER];
    const tokensPerSecond = perSecond(result, tokens);
    console.error(form, texts.length, tokensPerSecond, result.ratio, result.cpuRatio, differences);
    cases.push({ form, texts: texts.length, tokens, tokensPerSecond, differences, ...result });
  }
} finally {
  peers.stop();
  await Promise.all([encoder.close(), small.close()]);
}
const result: EncodeResult = {
  ...origin('encode', peers.versions),
  note:
    `Texts of all-MiniLM-L6-v2 in float32, ${TOKENS} tokens of each at most, tokenising included; ratios are how many times ` +
    `as long an engine took as seine did. ${DEFAULT_EMBEDDER} is the default model on the same texts.`,
  model: 'all-MiniLM-L6-v2',
  cases,
};
deliver('encode', result, flags);
