import type { Settings } from './schema.ts';

/** Settings as they may be shown: of keys no more than whether they are hashed or in which file they lie. */
export function maskSecrets(settings: Settings): Settings {
  const masked = (key: string): string => {
    if (key.startsWith('file:')) return key;
    return key.startsWith('sha256:') ? 'sha256:***' : '***';
  };
  return { ...settings, keys: settings.keys.map((key) => ({ ...key, key: masked(key.key) })) };
}
