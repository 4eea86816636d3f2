// Unpacks SwiftShader, a Vulkan driver for processors, from the npm package @sparticuz/chromium into
// .cache/swiftshader. Run as a program it prints the two variables that must be set before Node starts, so that
// the WebGPU device finds this driver.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';

const root = fileURLToPath(new URL('..', import.meta.url));
const archive = join(root, 'node_modules/@sparticuz/chromium/bin/swiftshader.tar.br');
const directory = join(root, '.cache/swiftshader');

/** The environment in which Dawn finds SwiftShader, or undefined where the package has no driver for this machine. */
export function swiftshaderEnvironment() {
  if (process.platform !== 'linux' || process.arch !== 'x64' || !existsSync(archive)) return undefined;
  if (!existsSync(directory)) unpack();
  return { VK_ICD_FILENAMES: join(directory, 'vk_swiftshader_icd.json'), LD_LIBRARY_PATH: directory };
}

/** Unpacks beside the target and renames: two processes at once leave one whole directory. */
function unpack() {
  mkdirSync(dirname(directory), { recursive: true });
  const temporary = mkdtempSync(`${directory}-`);
  try {
    const tar = join(temporary, 'swiftshader.tar');
    writeFileSync(tar, brotliDecompressSync(readFileSync(archive)));
    execFileSync('tar', ['-xf', tar, '-C', temporary], { stdio: 'inherit' });
    rmSync(tar);
    renameSync(temporary, directory);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (!existsSync(directory)) throw error;
  }
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
