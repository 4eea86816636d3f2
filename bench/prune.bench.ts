// What pruning loses before any further training, by what chooses the neurons, heads or layers that are left out, and what
// it gains in time. npm run bench -- prune [--quick] [--json]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpoint } from '../ts/graph/checkpoint.ts';
import { writeTransformer } from '../ts/graph/writeTransformer.ts';
import { headOf } from '../ts/models/headOf.ts';
import { openSession, type Session } from '../ts/models/session.ts';
import { type Calibration, calibrate } from '../ts/offline/prune/calibration.ts';
import { calibrationTexts } from '../ts/offline/prune/calibrationTexts.ts';
import { METHODS } from '../ts/offline/prune/method.ts';
import { pruneModel } from '../ts/offline/prune/pruneModel.ts';
import { readFlags } from './measure/flags.ts';
import { interleaved } from './measure/interleaved.ts';
import { deliver, origin } from './measure/resultFile.ts';
import { sample } from './measure/sample.ts';
import { rounded, summary } from './measure/summary.ts';
import type { PruneCase } from './report/results.ts';

const CALIBRATION = '../shared/data/jobs/corpus.jsonl';
/** Draws of the random choice, whose errors are averaged. */
const SEEDS = [1, 2];
const TIMED_TOKENS = 4096;
/** What is left out: shares of neurons and of groups of heads, and numbers of layers. */
const CURVES = [
  { model: 'all-MiniLM-L6-v2', neurons: [0.25, 0.5, 0.75], heads: [], layers: [1, 2, 3] },
  { model: 'SmolLM2-135M-Instruct', neurons: [0.25, 0.5], heads: [1 / 3, 2 / 3], layers: [2, 4] },
];
const NOTE =
  "errors: ‖A − B‖² / ‖A‖² of the final hidden states of held-out job postings, A the model's and B the pruned one's, " +
  `without any training after it; random: mean of ${SEEDS.length} draws. Times: the model pruned by reconstruction and ` +
  `the whole one in turns on the same ${TIMED_TOKENS} tokens.`;
const KINDS = ['neurons', 'heads', 'layers'] as const;

const flags = readFlags();
const curves = flags.quick ? [{ ...CURVES[0]!, neurons: [0.5], layers: [2] }] : CURVES;
const folder = mkdtempSync(join(tmpdir(), 'seine-bench-prune-'));
const cases: PruneCase[] = [];
const from = origin('prune');
try {
  const texts = await calibrationTexts(CALIBRATION);
  for (const curve of curves) {
    const source = `../shared/models/${curve.model}`;
    const read = await calibrate(openCheckpoint(source), texts, TIMED_TOKENS);
    for (const kind of KINDS) {
      for (const amount of curve[kind]) {
        const one = await measure(source, curve.model, kind, amount, read);
        cases.push(one);
        deliver('prune', { ...from, note: NOTE, cases }, { ...flags, json: false }); // a whole run takes long
        console.error(one.model, kind, amount, one.parametersLeft, one.errors, `×${one.ratio.whole?.median}`);
      }
    }
  }
  if (flags.json) console.log(JSON.stringify({ ...from, note: NOTE, cases }, null, 2));
} finally {
  rmSync(folder, { recursive: true });
}

async function measure(
  source: string,
  model: string,
  kind: (typeof KINDS)[number],
  amount: number,
  read: Calibration,
): Promise<PruneCase> {
  const errors: Record<string, number> = {};
  const kept = join(folder, 'kept');
  let left = 0;
  for (const method of METHODS) {
    const seeds = method === 'random' ? SEEDS : [0];
    const found: number[] = [];
    for (const seed of seeds) {
      const target = method === 'reconstruction' ? kept : join(folder, 'other');
      const settings = { neurons: 0, heads: 0, layers: 0, [kind]: amount, calibration: CALIBRATION };
      const { error, parameters } = await pruneModel(source, target, { ...settings, method, seed });
      found.push(error);
      left = parameters.after / parameters.before;
      if (target !== kept) rmSync(target, { recursive: true });
    }
    errors[method] = rounded(found.reduce((sum, error) => sum + error, 0) / found.length);
  }
  const times = summary('pruned', await timesOf({ pruned: kept, whole: source }, read));
  rmSync(kept, { recursive: true });
  return { model, kind, amount, parametersLeft: rounded(left), errors, ...times };
}

/** Models run on the same batches, in turns. */
async function timesOf(directories: Record<string, string>, { batches }: Calibration) {
  const sessions: Session[] = [];
  const engines: Parameters<typeof interleaved>[0] = {};
  for (const [name, directory] of Object.entries(directories)) {
    const checkpoint = openCheckpoint(directory);
    const { onnx, externalFolder } = writeTransformer(checkpoint, headOf(checkpoint));
    const session = await openSession(onnx, { externalFolder });
    sessions.push(session);
    engines[name] = () =>
      sample(async () => {
        for (const { feeds } of batches) {
          await session.run(Object.fromEntries(session.inputs.map(({ name }) => [name, feeds[name]!])));
        }
      });
  }
  const samples = await interleaved(engines, { rounds: flags.quick ? 3 : 9, seconds: 60 });
  for (const session of sessions) await session.release();
  return samples;
}
