import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openCheckpoint } from '../../ts/graph/checkpoint.ts';
import { readTensor } from '../../ts/graph/checkpointTensor.ts';
import { writeScorer } from '../../ts/graph/writeScorer.ts';
import { ScoringSession } from '../../ts/models/scoringSession.ts';
import { openSession, type Session } from '../../ts/models/session.ts';

const WORDS = [7, 11, 300];
const token = fc.integer({ min: 3, max: 399 });
const ids = fc.array(token, { minLength: 1, maxLength: 24 });
const text = ids.map((all) => ({ ids: all }));

describe.each(['llama', 'qwen2', 'qwen3'])('%s', (family) => {
  let session: Session;
  let scoring: ScoringSession;
  beforeAll(async () => {
    const folder = fileURLToPath(new URL(`fixtures/${family}`, import.meta.url));
    const scorer = writeScorer(openCheckpoint(folder), WORDS);
    session = await openSession(scorer.onnx, { externalFolder: scorer.externalFolder, threads: 1 });
    scoring = new ScoringSession(session, scorer);
  });
  afterAll(() => session.release());

  test('an item scores the same alone, behind what was read before, and beside others in a row', async () => {
    await fc.assert(
      fc.asyncProperty(
        ids,
        fc.array(fc.array(text, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 }),
        async (prefix, rows) => {
          const items = rows.flat();
          const repeated = [...rows, [items[0]!, items[0]!]];
          const past = await scoring.read(prefix);
          const nothing = scoring.nothing;
          const together = await scoring.score(past, repeated);
          expect(together).toHaveLength(repeated.flat().length * WORDS.length);
          for (const [i, item] of repeated.flat().entries()) {
            const slot = together.subarray(i * WORDS.length, (i + 1) * WORDS.length);
            for (const alone of [
              await scoring.score(past, [[item]]),
              await scoring.score(nothing, [[{ ids: [...prefix, ...item.ids] }]]),
            ]) {
              for (const [j, logit] of alone.entries()) expect(Math.abs(slot[j]! - logit)).toBeLessThan(1e-4);
            }
          }
        },
      ),
      { numRuns: 10 },
    );
  });

  test('vectors that are the embeddings of tokens score as the tokens do, wherever they stand', async () => {
    const folder = fileURLToPath(new URL(`fixtures/${family}`, import.meta.url));
    const { tensors } = openCheckpoint(folder);
    const [name, tensor] = [...tensors].find(([key]) => key.endsWith('embed_tokens.weight'))!;
    const hidden = tensor.shape[1]!;
    const table = readTensor(name, tensor);
    const overridden = fc.record({ ids, share: fc.double({ min: 0, max: 1, noNaN: true }), other: token });
    const rows = fc.array(fc.array(overridden, { minLength: 1, maxLength: 4 }), {
      minLength: 1,
      maxLength: 3,
    });
    await fc.assert(
      fc.asyncProperty(ids, rows, async (prefix, drawn) => {
        const past = await scoring.read(prefix);
        const plain = await scoring.score(past, drawn);
        const given = drawn.map((row) =>
          row.map(({ ids: own, share, other }) => {
            const replaced = own.slice(0, Math.round(share * own.length));
            const vectors = Float32Array.from(
              replaced.flatMap((id) => [...table.subarray(id * hidden, (id + 1) * hidden)]),
            );
            return { ids: [...replaced.map(() => other), ...own.slice(replaced.length)], vectors };
          }),
        );
        const scores = await scoring.score(past, given);
        for (const [i, score] of scores.entries()) expect(Math.abs(score - plain[i]!)).toBeLessThan(1e-5);
      }),
      { numRuns: 10 },
    );
  });
});
