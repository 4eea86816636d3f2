import type { Impressions } from './clickModel.ts';
import { inversePropensity } from './inversePropensity.ts';

/** Query -> document -> action -> label from 0 to 1; null where it must not count. */
export type ActionLabels = Map<string, Map<string, Record<string, number | null>>>;

/** Least probability of being examined that is divided by. */
const LEAST_EXAMINED = 0.05;

/**
 * How likely each position is to be examined, relative to the first, `[positions]`: the clicks of pages that were in any
 * order, where documents are the same at each position on average. All 1 if no page was shuffled: nothing is known.
 */
export function estimateExamination(impressions: readonly Impressions[]): number[] {
  const positions = impressions.reduce((most, { position }) => Math.max(most, position), 0);
  const [shown, clicked] = [new Float64Array(positions), new Float64Array(positions)];
  for (const { position, shown: times, actions, shuffled } of impressions) {
    if (!shuffled) continue;
    shown[position - 1]! += times;
    clicked[position - 1]! += actions.click ?? 0;
  }
  if (clicked[0] === 0 || shown[0] === 0) return new Array<number>(positions).fill(1);
  const first = clicked[0]! / shown[0]!;
  return Array.from(shown, (times, i) => {
    const rate = times > 0 ? clicked[i]! / times / first : 1;
    return Math.min(1, Math.max(LEAST_EXAMINED, rate));
  });
}

/**
 * Labels of actions from what was shown and done: how often the action was taken per view, with each view weighed by the
 * inverse of its position's examination, at most 1. With `masking`, an action that no document of a query has says
 * nothing of the others: their labels are null, not 0.
 */
export function actionLabels(
  impressions: readonly Impressions[],
  actions: readonly string[],
  { masking }: { masking: boolean },
): ActionLabels {
  const examined = estimateExamination(impressions);
  const byQuery = new Map<string, Map<string, Impressions[]>>();
  for (const entry of impressions) {
    const documents = byQuery.get(entry.query) ?? new Map<string, Impressions[]>();
    byQuery.set(entry.query, documents);
    const known = documents.get(entry.document);
    if (known) known.push(entry);
    else documents.set(entry.document, [entry]);
  }
  const labels: ActionLabels = new Map();
  for (const [query, documents] of byQuery) {
    const taken = new Set(
      actions.filter((action) =>
        [...documents.values()].some((entries) => entries.some((one) => (one.actions[action] ?? 0) > 0)),
      ),
    );
    const ofDocument = (entries: readonly Impressions[]) => (action: string) => {
      if (masking && !taken.has(action)) return [action, null];
      const { ips } = inversePropensity(
        entries.map(({ position, shown, actions: done }) => ({
          reward: done[action] ?? 0,
          count: shown,
          propensity: examined[position - 1]!,
          target: 1,
        })),
      );
      return [action, Math.min(1, ips)];
    };
    labels.set(
      query,
      new Map(
        Array.from(documents, ([id, entries]) => [id, Object.fromEntries(actions.map(ofDocument(entries)))]),
      ),
    );
  }
  return labels;
}
