import { SeineError, show } from '../../core/errors.ts';
import { spreadOf } from '../../core/spreadOf.ts';
import type { FeatureScale } from '../../models/featureWeights.ts';
import type { TrainingGroup } from '../../train/trainingGroup.ts';

/** Mean and deviation of each feature over the documents of the data. Errors: `ERR_DATA` if one is the same everywhere. */
export function featureScales(names: readonly string[], groups: readonly TrainingGroup[]): FeatureScale[] {
  return names.map((attribute) => {
    const values = groups
      .flatMap(({ features }) => features?.[attribute] ?? [])
      .filter((value) => !Number.isNaN(value));
    const spread = spreadOf(values);
    if (spread) return { attribute, ...spread };
    throw new SeineError(
      'ERR_DATA',
      `The feature ${show(attribute)} should differ from document to document, but the data has ` +
        `${values.length === 0 ? 'none' : 'one value of it, or values too large'}: add some, or leave it out of ` +
        'recipe.features.',
    );
  });
}
