import { SeineError, show } from './core/errors.ts';
import type { AttributeType, Document } from './core/types.ts';
import type { Encoder } from './models/encoder.ts';
import { attributeNumber, type FeatureWeights } from './models/featureWeights.ts';

const NUMERIC: readonly AttributeType[] = ['number', 'timestamp', 'boolean'];

/** Throws `ERR_MODEL_MISMATCH` if an embedder weighs an attribute that is no number in the index. */
export function checkFeatures(
  embedder: string,
  features: FeatureWeights | undefined,
  attributes: Readonly<Record<string, AttributeType>>,
): void {
  for (const { attribute } of features?.features ?? []) {
    const type = attributes[attribute];
    if (type === undefined || NUMERIC.includes(type)) continue;
    throw new SeineError(
      'ERR_MODEL_MISMATCH',
      `The embedder ${embedder} weighs the attribute ${show(attribute)}, which should be of type ${NUMERIC.join(', ')}, but ` +
        `the index has it as ${type}: take it out of the embedder's features.json, or build the index from numbers.`,
    );
  }
}

/** Throws `ERR_ATTRIBUTE_TYPE` if the embedder weighs an attribute that is no number in a document. */
export function checkFeatureValues(documents: readonly Document[], { name, features }: Encoder): void {
  for (const { attribute } of features?.features ?? []) {
    for (const { id, attributes } of documents) {
      const value = attributes?.[attribute] ?? null;
      if (value === null || !Number.isNaN(attributeNumber(value))) continue;
      throw new SeineError(
        'ERR_ATTRIBUTE_TYPE',
        `The attribute ${show(attribute)} of the document ${show(id)} should be a number, a date or a boolean, for the ` +
          `embedder ${name} weighs it, got ${show(value)}: give a number, or take it out of the embedder's features.json.`,
      );
    }
  }
}
