import { join } from 'node:path';
import { writeAtomic } from '../../core/files.ts';
import { forgetParts, inParts } from '../../core/inParts.ts';
import { openCrossEncoder } from '../../models/crossEncoder.ts';
import { actionLabels } from './actionLabels.ts';
import { readImpressions } from './actionStage.ts';
import { readJsonLines } from './jsonl.ts';
import { readLists } from './listStage.ts';
import type { DistillRecipe } from './recipe.ts';
import type { Report } from './report.ts';
import type { Stage } from './stage.ts';
import { readTexts } from './texts.ts';
import { modelIn, type TrainingLine } from './trainStage.ts';

/** Directories of what a collection's labels are made of. */
export interface LabelSources {
  lists: string;
  actions?: string | undefined;
  relevance?: string | undefined;
  engagement?: string | undefined;
}

const LABELS = 'labels.jsonl';
/** Queries of a part: some hundred pairs. */
const PART = 32;

interface Unlabelled {
  query: string;
  documents: string[];
  /** NaN as null where nobody graded. */
  grades: (number | null)[];
  /** Actions that some document of the query has: of others the teacher's opinion is masked. */
  taken: string[];
}

/**
 * The teachers' opinions of a collection's training pairs, kept so that students learn without running teachers: the drawn
 * lists, and the pages that users saw. `labels` are the relevance teacher's probabilities, `objectives` the engagement
 * teacher's of each action.
 */
export function labelStage(
  collection: DistillRecipe['collections'][number],
  { masking }: DistillRecipe,
  sources: LabelSources,
  actions: readonly string[],
  { report, signal }: { report: Report; signal: AbortSignal | undefined },
): Stage {
  const given = Object.entries(sources).filter(([, path]) => path !== undefined);
  return {
    name: `labels-${collection.name}`,
    options: { masking, actions },
    inputs: { ...Object.fromEntries(given), corpus: collection.corpus, queries: collection.train!.queries },
    async run(directory) {
      const texts = await readTexts(collection);
      const unlabelled = await unlabelledOf(sources, actions, masking);
      const teachers = {
        relevance: sources.relevance && (await openCrossEncoder(modelIn(sources.relevance))),
        actions: await Promise.all(
          (sources.engagement ? actions : []).map(async (action) => {
            const objective = actions.length > 1 ? action : undefined;
            return { action, teacher: await openCrossEncoder(modelIn(sources.engagement!), { objective }) };
          }),
        ),
      };
      const label = async (part: readonly Unlabelled[]): Promise<string> => {
        const lines: string[] = [];
        for (const { query, documents, grades, taken } of part) {
          const asked = texts.queries.get(query)!;
          const read = documents.map((id) => texts.documents.get(id)!);
          const line: TrainingLine = { query: asked, documents: read, grades };
          if (teachers.relevance) {
            const { scores } = await teachers.relevance.score(asked, read, { signal });
            line.labels = Array.from(scores, sigmoid);
          }
          for (const { action, teacher } of teachers.actions) {
            if (!taken.includes(action)) continue;
            const { scores } = await teacher.score(asked, read, { signal });
            line.objectives = { ...line.objectives, [action]: Array.from(scores, sigmoid) };
          }
          lines.push(`${JSON.stringify(line)}\n`);
        }
        return lines.join('');
      };
      try {
        const onDone = (done: number, total: number) => report('queries', done, total);
        const parts = await inParts(directory, unlabelled, label, { size: PART, signal, onDone });
        await writeAtomic(join(directory, LABELS), Buffer.concat(parts));
      } finally {
        if (teachers.relevance) await teachers.relevance.close();
        for (const { teacher } of teachers.actions) await teacher.close();
      }
      await forgetParts(directory);
    },
  };
}

const sigmoid = (x: number): number => Number((1 / (1 + Math.exp(-x))).toPrecision(6));

async function unlabelledOf(
  { lists, actions: impressions }: LabelSources,
  actions: readonly string[],
  masking: boolean,
): Promise<Unlabelled[]> {
  const acted =
    impressions === undefined
      ? undefined
      : actionLabels(await readImpressions(impressions), actions, { masking });
  return (await readLists(lists)).map(({ query, documents, grades }) => {
    const labels = acted?.get(query);
    const shown = [...(labels?.keys() ?? [])].filter((id) => !documents.includes(id));
    const first = labels?.values().next().value;
    return {
      query,
      documents: [...documents, ...shown],
      grades: [...grades, ...shown.map(() => null)],
      taken: actions.filter((action) => first !== undefined && first[action] !== null),
    };
  });
}

export const readLabels = (directory: string): Promise<TrainingLine[]> =>
  readJsonLines(join(directory, LABELS));
