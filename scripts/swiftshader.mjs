// Unpacks SwiftShader, a Vulkan driver for processors, from the npm package @sparticuz/chromium into
// .cache/swiftshader. Run as a program it prints the two variables that must be set before Node starts, so that
// the WebGPU device finds this driver.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unpackPart } from './unpackPart.mjs';

/** The environment in which Dawn finds SwiftShader, or undefined where the package has no driver for this machine. */
export function swiftshaderEnvironment() {
  const directory = unpackPart('swiftshader');
  if (directory === undefined) return undefined;
  return { VK_ICD_FILENAMES: join(directory, 'vk_swiftshader_icd.json'), LD_LIBRARY_PATH: directory };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const variables = swiftshaderEnvironment();
  if (variables === undefined) {
    console.error(
      'SwiftShader is packed for Linux on x64 only; npm ci brings the package @sparticuz/chromium.',
    );
    process.exitCode = 1;
  } else {
    for (const [name, value] of Object.entries(variables)) console.log(`${name}=${value}`);
  }
}
