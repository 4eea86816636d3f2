import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const embedded = fileURLToPath(new URL('../../models/seine-embed-small', import.meta.url));

/** Writes the embedded embedder with weights of attributes; with a `change` of its configuration it is another model. */
export function weighingEmbedder(directory: string, features: object, change: object = {}): string {
  cpSync(embedded, directory, { recursive: true });
  const config = join(directory, 'config.json');
  const text = readFileSync(config, 'utf8');
  if (Object.keys(change).length > 0)
    writeFileSync(config, JSON.stringify({ ...JSON.parse(text), ...change }));
  writeFileSync(join(directory, 'features.json'), JSON.stringify(features));
  return directory;
}
