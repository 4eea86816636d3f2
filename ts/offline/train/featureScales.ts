import { SeineError, show } from '../../core/errors.ts';
import { meanAndDeviation } from '../../core/meanAndDeviation.ts';
import type { FeatureScale } from '../../models/featureWeights.ts';
import type { TrainingGroup } from '../../train/trainingGroup.ts';

/** Deviation, as a share of the largest value, from which values count as different. */
const LEAST_SPREAD = 1e-9;

/** Mean and deviation of each feature over the documents of the data. Errors: `ERR_DATA` if one is the same everywhere. */
export function featureScales(names: readonly string[], groups: readonly TrainingGroup[]): FeatureScale[] {
  return names.map((attribute) => {
    const values = groups
      .flatMap(({ features }) => features?.[attribute] ?? [])
      .filter((value) => !Number.isNaN(value));
    const { mean, deviation } = meanAndDeviation(values);
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    // What equal numbers seem to differ by, once they are added up, is no difference.
    if (deviation > LEAST_SPREAD * largest && Number.isFinite(deviation))
      return { attribute, mean, deviation };
    throw new SeineError(
      'ERR_DATA',
      `The feature ${show(attribute)} should differ from document to document, but the data has ` +
        `${values.length === 0 ? 'none' : 'one value of it, or values too large'}: add some, or leave it out of ` +
        'recipe.features.',
    );
  });
}
