import type { TSchema } from 'typebox';
import { Settings } from './schema.ts';

/** What a setting is called on the command line and in the environment. */
export interface SettingName {
  /** `['scoreCache', 'bytes']` */
  path: readonly string[];
  /** `--score-cache-bytes`; structured settings have none. */
  flag: string | undefined;
  /** `SEINE_SERVE_SCORE_CACHE_BYTES` */
  variable: string;
  kind: 'number' | 'string' | 'json';
  description: string;
  /** As text, for help. */
  byDefault: string | undefined;
  choices: readonly string[] | undefined;
}

export const PREFIX = 'SEINE_SERVE_';

/** The parts of a JSON schema that names are derived from. */
interface SchemaPart {
  type?: string;
  enum?: readonly string[];
  properties?: Record<string, TSchema>;
  description?: string;
  default?: unknown;
}

function kindOf({ type, enum: choices }: SchemaPart): SettingName['kind'] {
  if (type === 'integer' || type === 'number') return 'number';
  return type === 'string' || choices !== undefined ? 'string' : 'json';
}

function namesIn(properties: Record<string, TSchema>, before: readonly string[]): SettingName[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const part = schema as SchemaPart;
    const path = [...before, name];
    const words = path.flatMap((word) => word.split(/(?=[A-Z])/)).map((word) => word.toLowerCase());
    const kind = kindOf(part);
    const own: SettingName = {
      path,
      flag: kind === 'json' ? undefined : `--${words.join('-')}`,
      variable: `${PREFIX}${words.join('_').toUpperCase()}`,
      kind,
      description: part.description ?? '',
      byDefault: kind === 'json' || part.default === undefined ? undefined : String(part.default),
      choices: part.enum,
    };
    return part.properties === undefined ? [own] : [own, ...namesIn(part.properties, path)];
  });
}

/** Every setting of the schema; one that lies within another comes after it. */
export const SETTING_NAMES: readonly SettingName[] = namesIn(Settings.properties, []);
