import { SeineError } from '../../core/errors.ts';
import { describeInvalid, validatorOf } from '../validation.ts';
import { Settings } from './schema.ts';

const validate = validatorOf(Settings);

/** Settings from a plain object, every default filled in; ERR_ARGUMENT names what is wrong. */
export function parseSettings(given: unknown): Settings {
  const settings = structuredClone(given);
  if (!validate(settings)) {
    throw new SeineError('ERR_ARGUMENT', describeInvalid(validate.errors ?? [], 'settings'));
  }
  return settings as Settings;
}
