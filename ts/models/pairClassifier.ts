import { SeineError, show } from '../core/errors.ts';
import { batches } from './batches.ts';
import type { OpenModelOptions } from './contracts.ts';
import { jointReader } from './jointReader.ts';
import type { PairModel } from './pairModel.ts';
import type { ModelFiles } from './resolveModel.ts';
import { requireFinite, type TensorInfo } from './session.ts';
import { openTextGraph } from './textGraph.ts';
import { readJson, type TokenIds } from './tokenizer.ts';
import { toScores } from './toScores.ts';

/** Tokens of a batch, padding included. */
const BATCH_TOKENS = 4096;
const CHUNK = { documents: 8, tokens: Number.POSITIVE_INFINITY };

/** Opens a sequence classification model with an output `logits` `[batch, labels]`. */
export async function openPairClassifier(files: ModelFiles, options: OpenModelOptions): Promise<PairModel> {
  const objective = await objectiveOf(files, options.objective);
  const graph = await openTextGraph(files, options);
  try {
    const { tokenizer, maxTokens } = graph;
    const output = chooseOutput(graph.session.outputs, files);
    const reader = jointReader(tokenizer, maxTokens);

    const run = async (batch: readonly TokenIds[]): Promise<Float32Array> => {
      const { data } = await graph.run(batch, output.name);
      requireFinite(data, `A logit of the model ${files.name}`);
      if (objective === undefined) return toScores(data, batch.length);
      const labels = data.length / batch.length;
      return Float32Array.from(batch, (_, row) => data[row * labels + objective]!);
    };
    const probe = await reader.begin('x');
    await run([probe.pair(reader.readDocument('x', probe.room))]);

    return {
      ...reader,
      chunk: CHUNK,
      batchTokens: BATCH_TOKENS,
      readVectors() {
        throw new SeineError(
          'ERR_ARGUMENT',
          `documents must be texts for the ranker ${files.name}: only a language model takes vectors in their place.`,
        );
      },
      async begin(query) {
        const { pair, ...begun } = await reader.begin(query);
        return {
          ...begun,
          async *score(documents, budget) {
            const pairs = documents.map(pair);
            const lengths = pairs.map(({ ids }) => ids.length);
            for (const places of batches(lengths, budget)) {
              const scores = await run(places.map((place) => pairs[place]!));
              yield { places, scores, tokens: places.length * lengths[places[0]!]! };
            }
          },
        };
      },
      release: () => graph.release(),
    };
  } catch (error) {
    await graph.release();
    throw error;
  }
}

/**
 * Which logit is the score of a model whose labels are objectives, each with a logit of its own (`problem_type`
 * `multi_label_classification`); undefined for other models. Throws `ERR_ARGUMENT` for an objective that it has not.
 */
async function objectiveOf(files: ModelFiles, wanted: string | undefined): Promise<number | undefined> {
  const path = files.files['config.json'];
  const { problem_type: problem, id2label: labels } = path === undefined ? {} : await readJson(path);
  const isMany = problem === 'multi_label_classification' && typeof labels === 'object' && labels !== null;
  const names = isMany ? Object.values(labels) : [];
  const index = wanted === undefined ? 0 : names.indexOf(wanted);
  if (wanted !== undefined && index < 0) {
    const has = names.length > 0 ? `has ${names.join(', ')}` : 'has one score alone';
    throw new SeineError(
      'ERR_ARGUMENT',
      `objective should be one of the ranker ${files.name}, which ${has}, got ${show(wanted)}: correct it.`,
    );
  }
  return isMany ? index : undefined;
}

function chooseOutput(outputs: readonly TensorInfo[], files: ModelFiles): TensorInfo {
  const output = outputs.find(({ name }) => name === 'logits');
  if (output !== undefined && output.dims.length <= 2) return output;
  const described = outputs.map(({ name, dims }) => `${name} [${dims.join(', ')}]`).join(', ');
  throw new SeineError(
    'ERR_MODEL',
    `The ranker ${files.name} should have an output logits [batch, labels] but has ${described}: it is no ` +
      'cross-encoder, or export it for text classification.',
  );
}
