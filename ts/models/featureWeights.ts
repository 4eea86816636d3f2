import { SeineError, show } from '../core/errors.ts';
import type { AttributeValue } from '../core/types.ts';
import { FEATURES_FILE } from './layout.ts';
import { type ModelFiles, resolveModel } from './resolveModel.ts';
import { readJson } from './tokenizer.ts';

/** An attribute of documents as a number that differs from document to document by about 1. */
export interface FeatureScale {
  /** Numbers, timestamps (in milliseconds) or booleans (0 and 1). */
  attribute: string;
  mean: number;
  /** Above 0. */
  deviation: number;
}

/**
 * Retrieval as ranking: the score of a document is `similarity · ⟨query, document⟩ + Σ weight · (value − mean) / deviation`,
 * where an attribute that a document lacks adds nothing.
 */
export interface FeatureWeights {
  similarity: number;
  /** At least one. */
  features: (FeatureScale & { weight: number })[];
}

/** Features that devices take beside a row. */
const MOST_FEATURES = 256;
/** Weights and scaled values lie within it, so that no score leaves the range of float32. */
const FARTHEST = 1e6;

/** Those of an embedder by name or path, if it has some. Errors: those of `resolveModel`, `ERR_MODEL` naming the field. */
export async function featuresOf(nameOrPath: string): Promise<FeatureWeights | undefined> {
  return featuresIn(await resolveModel(nameOrPath, 'embedder'));
}

/** Those among the files of an embedder. Errors: `ERR_MODEL` naming the field. */
export async function featuresIn({ files }: ModelFiles): Promise<FeatureWeights | undefined> {
  const path = files[FEATURES_FILE];
  return path === undefined ? undefined : readFeatureWeights(path);
}

async function readFeatureWeights(path: string): Promise<FeatureWeights> {
  const { similarity, features } = (await readJson(path)) as Partial<FeatureWeights>;
  const wrong = (what: string): SeineError =>
    new SeineError('ERR_MODEL', `${path}: ${what}: train the model again, or correct the file.`);
  const isWeight = (value: unknown): boolean => Number.isFinite(value) && Math.abs(Number(value)) <= FARTHEST;
  if (!isWeight(similarity)) {
    throw wrong(`similarity should be a number of at most ${FARTHEST}, got ${show(similarity)}`);
  }
  if (!Array.isArray(features) || features.length === 0 || features.length > MOST_FEATURES) {
    throw wrong(`features should be a list of 1 to ${MOST_FEATURES}, got ${show(features)}`);
  }
  const seen = new Set<string>();
  for (const [i, feature] of features.entries()) {
    const { attribute, mean, deviation, weight } = feature ?? {};
    if (typeof attribute !== 'string' || attribute === '' || seen.has(attribute)) {
      throw wrong(`features[${i}].attribute should be a name of its own, got ${show(attribute)}`);
    }
    seen.add(attribute);
    for (const [name, value] of Object.entries({ mean, deviation })) {
      if (Number.isFinite(value)) continue;
      throw wrong(`features[${i}].${name} should be a number, got ${show(value)}`);
    }
    if (!isWeight(weight)) {
      throw wrong(`features[${i}].weight should be a number of at most ${FARTHEST}, got ${show(weight)}`);
    }
    if (deviation <= 0) throw wrong(`features[${i}].deviation should be above 0, got ${show(deviation)}`);
  }
  return { similarity: similarity!, features };
}

/** A value in deviations from the mean, a million at most; 0 for NaN, which stands for none. */
export function scaled(value: number, { mean, deviation }: FeatureScale): number {
  if (Number.isNaN(value)) return 0;
  return Math.max(-FARTHEST, Math.min(FARTHEST, (value - mean) / deviation));
}

/** The weights of so many queries, the same for all, as a device takes them: `[queries, 1 + features]`. */
export function queryWeights({ similarity, features }: FeatureWeights, queries: number): Float32Array {
  const row = [similarity, ...features.map(({ weight }) => weight)];
  return Float32Array.from({ length: queries * row.length }, (_, i) => row[i % row.length]!);
}

/** An attribute's value as a number; NaN if there is none, or if it is of a type that has none. */
export function attributeNumber(value: AttributeValue | undefined): number {
  if (value instanceof Date) return value.getTime();
  const isNumeric = typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint';
  return isNumeric ? Number(value) : Number.NaN;
}
