import { describeInvalid } from '../../core/describeInvalid.ts';
import { SeineError, show } from '../../core/errors.ts';
import { validatorOf } from '../validation.ts';
import { checkSettings } from './checkSettings.ts';
import { isPlain, mergeLayers } from './layers.ts';
import { DEFAULT_WORKLOADS, Settings } from './schema.ts';

type Loose<T> = T extends readonly (infer U)[]
  ? readonly Loose<U>[]
  : T extends object
    ? { [K in keyof T]?: Loose<T[K]> | undefined }
    : T;

/** What a configuration file may hold: everything but the index may be left out. */
export type GivenSettings = Omit<Loose<Settings>, 'index'> & { index: string };

const validate = validatorOf(Settings);

/**
 * Settings from a plain object, every default filled in; ERR_ARGUMENT names what is wrong. `sourceOf` tells where a
 * value came from.
 */
export function parseSettings(
  given: unknown,
  sourceOf: (path: string) => string | undefined = () => undefined,
): Settings {
  if (!isPlain(given)) {
    throw new SeineError('ERR_ARGUMENT', `The settings must be an object, got ${show(given)}.`);
  }
  if (given.index === undefined) {
    throw new SeineError(
      'ERR_ARGUMENT',
      'The setting index is missing: name the index by --index, SEINE_SERVE_INDEX or "index" in the settings.',
    );
  }
  const settings = mergeLayers([{ workloads: DEFAULT_WORKLOADS }, structuredClone(given)]);
  if (!validate(settings)) {
    const errors = validate.errors ?? [];
    const path = errors[0]?.instancePath.slice(1).replaceAll('/', '.') ?? '';
    const source = sourceOf(path);
    const told = describeInvalid(errors, 'settings', path === 'keys' || path.startsWith('keys.'));
    throw new SeineError('ERR_ARGUMENT', source === undefined ? told : `${told} It came from ${source}.`);
  }
  const names = Object.keys(Settings.properties).filter((name) => Object.hasOwn(settings, name));
  const ordered = Object.fromEntries(names.map((name) => [name, settings[name]])) as Settings;
  checkSettings(ordered);
  return ordered;
}
