import type { Recipe } from './recipe.ts';

/** What a training was made of and how it went: `training.json` beside the model. */
export interface Manifest {
  /** Version of Seine. */
  seine: string;
  node: string;
  onnxruntime: string;
  platform: string;
  threads: number;
  /** SHA-256 over recipe, data, model and version: the same identity and threads give the same weights. */
  identity: string;
  /** Defaults filled in. */
  recipe: Recipe;
  model: { name: string; sha256: string };
  data: { file: string; sha256: string; groups: number }[];
  parameters: number;
  /** Whether the model had no head for the task, so that one was drawn. */
  headDrawn: boolean;
  maxTokens: number;
  steps: number;
  /** Of the last run: less than the whole where it was resumed. */
  seconds: number;
  /** By step. */
  curve: { loss: number[]; gradientNorm: number[]; rate: number[] };
}
