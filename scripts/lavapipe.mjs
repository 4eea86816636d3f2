// Tests of the WebGPU device on Mesa's lavapipe, another Vulkan driver for processors than SwiftShader.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runJest } from './runJest.mjs';

const folder = '/usr/share/vulkan/icd.d';

/** Those in which the driver has most to say, and the others that concern the device. */
const MAIN = ['contract', 'dtypes', 'features', 'select', 'webgpuCertify', 'webgpuSearch', 'webgpuWork'];
const OTHERS = ['adversarial', 'behaviour', 'matrix', 'mutations', 'soak', 'webgpu'];

/** Runs the main suites, or `all`, with `env` set as well. Returns the exit status, 0 without lavapipe. */
export function testOnLavapipe(env = {}, all = false) {
  const lavapipe = lavapipeEnvironment();
  if (lavapipe === undefined) {
    console.warn(
      'WebGPU is not tested on lavapipe: Mesa 25 or newer (mesa-vulkan-drivers) is not installed.',
    );
    return 0;
  }
  console.log('WebGPU on lavapipe:');
  const suites = (all ? [...MAIN, ...OTHERS] : MAIN).map((name) => `test/device/${name}.test.ts`);
  return runJest(suites, { ...env, ...lavapipe, SEINE_DEVICES: 'webgpu' });
}

/** The environment in which Dawn finds lavapipe, or undefined where the system has none that Dawn takes. */
function lavapipeEnvironment() {
  if (process.platform !== 'linux' || !existsSync(folder)) return undefined;
  const paths = readdirSync(folder)
    .filter((name) => /^lvp_icd.*\.json$/.test(name))
    .map((name) => join(folder, name));
  // Vulkan 1.4 came with Mesa 25; Dawn refuses the lavapipe of Mesa 22.
  const path = paths.find((file) => Number.parseFloat(JSON.parse(readFileSync(file)).ICD.api_version) >= 1.4);
  return path === undefined ? undefined : { VK_ICD_FILENAMES: path };
}
