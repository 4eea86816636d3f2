import { SeineError } from '../../core/errors.ts';
import { infoNce } from '../../train/losses/infoNce.ts';
import { listwise } from '../../train/losses/listwise.ts';
import type { Loss } from '../../train/losses/loss.ts';
import { margin } from '../../train/losses/margin.ts';
import { mixed } from '../../train/losses/mixed.ts';
import { ofObjective } from '../../train/losses/ofObjective.ts';
import { bce, pointwiseKl } from '../../train/losses/pointwise.ts';
import { cosine, mse } from '../../train/losses/teacher.ts';
import type { TrainingGroup } from '../../train/trainingGroup.ts';
import type { LossRecipe, Recipe } from './recipe.ts';

/** The losses of a recipe as one. Cosines want sharper defaults than logits and sums over tokens. */
export function lossesOf({ losses, task, similarity, objectives = [] }: Recipe): Loss {
  const isCosine = task === 'bi-encoder' && similarity !== 'maxSim';
  return mixed(
    losses.map((recipe) => {
      const temperature = recipe.temperature ?? (isCosine ? 0.05 : 1);
      const loss = {
        infoNce: () => infoNce({ temperature }),
        margin: () => margin({ margin: recipe.margin ?? (isCosine ? 0.2 : 1) }),
        listwise: () => listwise({ temperature, to: recipe.to ?? 'grades' }),
        bce: () => bce({ temperature }),
        pointwiseKl: () => pointwiseKl({ temperature }),
        mse: () => mse(),
        cosine: () => cosine(),
      }[recipe.name]();
      const { objective, weight } = recipe;
      if (objective === undefined) return { loss, weight };
      return { loss: ofObjective(loss, objective, objectives.indexOf(objective)), weight };
    }),
  );
}

/** Throws `ERR_DATA` if no group of the data gives what a loss learns from. */
export function requireLearnable({ losses }: Recipe, groups: readonly TrainingGroup[]): void {
  for (const loss of losses) {
    const { what, isThere } = neededBy(loss);
    if (groups.some(isThere)) continue;
    throw new SeineError(
      'ERR_DATA',
      `The loss ${loss.name} needs ${what}, but no line of the data gives any: take another loss, or add them.`,
    );
  }
}

function neededBy({ name, to, objective }: LossRecipe): {
  what: string;
  isThere: (group: TrainingGroup) => boolean;
} {
  const someKnown = (values: readonly number[]): boolean => values.some((value) => !Number.isNaN(value));
  const teacher = { what: "a teacher's scores", isThere: (group: TrainingGroup) => someKnown(group.scores) };
  const labelled = {
    what: 'grades or labels',
    isThere: ({ labels }: TrainingGroup) => someKnown(labels),
  };
  if (objective !== undefined) {
    const isThere = ({ objectives }: TrainingGroup): boolean => someKnown(objectives?.[objective] ?? []);
    return { what: `labels of the objective ${objective}`, isThere };
  }
  switch (name) {
    case 'cosine':
      return { what: 'texts', isThere: () => true };
    case 'bce':
      return labelled;
    case 'infoNce':
      return { what: 'relevant documents', isThere: ({ grades }) => grades.some((grade) => grade > 0) };
    case 'margin':
      return {
        what: 'documents of one query with different grades',
        isThere: ({ grades }) => grades.some((grade) => grades.some((other) => grade > other)),
      };
    case 'listwise':
      if (to === 'scores') return teacher;
      if (to === 'labels') return labelled;
      return { what: 'grades', isThere: ({ grades }) => someKnown(grades) };
    case 'pointwiseKl':
    case 'mse':
      return teacher;
  }
}
