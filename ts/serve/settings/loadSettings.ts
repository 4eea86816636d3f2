import { readFileSync } from 'node:fs';
import { SeineError, show } from '../../core/errors.ts';
import { nearest } from '../../core/nearest.ts';
import { isPlain, type Layer, mergeLayers, pathsOf } from './layers.ts';
import { PREFIX, SETTING_NAMES, type SettingName } from './names.ts';
import { parseSettings } from './parseSettings.ts';
import type { Settings } from './schema.ts';

export interface SettingSources {
  /** Text by flag: `{ '--port': '8080' }`. */
  flags?: Readonly<Record<string, string>> | undefined;
  /** Environment; what does not begin with `SEINE_SERVE_` is left alone. */
  env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Path of a JSON file. */
  file?: string | undefined;
}

export interface LoadedSettings {
  settings: Settings;
  /** Where each value came from: path with dots -> flag, variable, file or `default`. */
  sources: Map<string, string>;
}

/**
 * Settings from flags, which go before the environment, which goes before the file, which goes before the defaults.
 * Errors: ERR_ARGUMENT (unknown or wrong settings), ERR_NOT_FOUND (no such file).
 */
export function loadSettings({ flags = {}, env = {}, file }: SettingSources): LoadedSettings {
  const layers: { source: string; layer: Layer }[] = [];
  if (file !== undefined) layers.push({ source: file, layer: readFile(file) });
  const variables = Object.keys(env).filter((name) => name.startsWith(PREFIX) && env[name] !== undefined);
  checkKnown(variables);
  for (const name of SETTING_NAMES) {
    const text = env[name.variable];
    if (text !== undefined) layers.push({ source: name.variable, layer: layerOf(name, name.variable, text) });
  }
  for (const name of SETTING_NAMES) {
    const text = name.flag === undefined ? undefined : flags[name.flag];
    if (text !== undefined) layers.push({ source: name.flag!, layer: layerOf(name, name.flag!, text) });
  }
  const given = new Map(layers.flatMap(({ source, layer }) => pathsOf(layer).map((path) => [path, source])));
  const sourceOf = (path: string): string | undefined =>
    given.get(path) ?? [...given].find(([known]) => path.startsWith(`${known}.`))?.[1];
  const settings = parseSettings(mergeLayers(layers.map(({ layer }) => layer)), sourceOf);
  const sources = new Map(pathsOf(settings).map((path) => [path, given.get(path) ?? 'default']));
  return { settings, sources };
}

function readFile(path: string): Layer {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const message = `The settings ${show(path)} cannot be read: correct the path given to --config.`;
    throw new SeineError('ERR_NOT_FOUND', message, { cause: error });
  }
  const settings = parseJson(text, path);
  if (isPlain(settings)) return settings;
  throw new SeineError('ERR_ARGUMENT', `${path} must hold a JSON object of settings, got ${show(settings)}.`);
}

/** The text itself is not shown: it may hold keys. */
function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SeineError('ERR_ARGUMENT', `${source} must be JSON: correct its syntax.`);
  }
}

function layerOf({ path, kind }: SettingName, source: string, text: string): Layer {
  let value: unknown = text;
  if (kind === 'json') value = parseJson(text, source);
  if (kind === 'number') {
    value = text.trim() === '' ? Number.NaN : Number(text);
    if (!Number.isFinite(value)) {
      throw new SeineError('ERR_ARGUMENT', `${source} must be a number, got ${show(text)}.`);
    }
  }
  return path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as Layer;
}

function checkKnown(variables: readonly string[]): void {
  const known = SETTING_NAMES.map(({ variable }) => variable);
  const unknown = variables.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const near = nearest(
    unknown.slice(PREFIX.length),
    known.map((name) => name.slice(PREFIX.length)),
  );
  const advice = near === undefined ? 'unset it' : `did you mean ${PREFIX}${near}?`;
  throw new SeineError(
    'ERR_ARGUMENT',
    `There is no setting for the variable ${unknown}: ${advice}${near === undefined ? '.' : ''}`,
  );
}
