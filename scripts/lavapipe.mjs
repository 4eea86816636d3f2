// Where Mesa's lavapipe is, another Vulkan driver for processors than SwiftShader, with other features.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = '/usr/share/vulkan/icd.d';

/** The environment in which Dawn finds lavapipe, or undefined where the system has none that Dawn takes. */
export function lavapipeEnvironment() {
  if (process.platform !== 'linux' || !existsSync(folder)) return undefined;
  const paths = readdirSync(folder)
    .filter((name) => /^lvp_icd.*\.json$/.test(name))
    .map((name) => join(folder, name));
  // Vulkan 1.4 came with Mesa 25; Dawn refuses the lavapipe of Mesa 22.
  const path = paths.find((file) => Number.parseFloat(JSON.parse(readFileSync(file)).ICD.api_version) >= 1.4);
  return path === undefined ? undefined : { VK_ICD_FILENAMES: path };
}
