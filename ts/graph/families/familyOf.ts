import { SeineError, show } from '../../core/errors.ts';
import type { ModelConfig } from '../modelConfig.ts';
import { bert } from './bert.ts';
import { decoder } from './decoder.ts';
import type { Family } from './family.ts';
import { modernBert } from './modernBert.ts';
import { roberta } from './roberta.ts';

const FAMILIES: readonly Family[] = [bert, roberta, modernBert, decoder];

/** The family of a model by its `model_type`. Throws `ERR_MODEL` for one that is not known. */
export function familyOf(config: ModelConfig, directory: string): Family {
  const type = config.fields.model_type;
  const family = FAMILIES.find(({ types }) => types.includes(type as string));
  if (family !== undefined) return family;
  throw new SeineError(
    'ERR_MODEL',
    `The model at ${directory} should be of one of the types ${FAMILIES.flatMap(({ types }) => types).join(', ')}, ` +
      `but its config.json says ${show(type)}: choose another model, or export this one to ONNX.`,
  );
}
