// Parts of the npm package @sparticuz/chromium that are of use by themselves.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * The folder in .cache where a part lies unpacked, such as 'swiftshader', or undefined where the package has none
 * for this machine.
 */
export function unpackPart(name) {
  const archive = join(root, `node_modules/@sparticuz/chromium/bin/${name}.tar.br`);
  const directory = join(root, '.cache', name);
  if (process.platform !== 'linux' || process.arch !== 'x64' || !existsSync(archive)) return undefined;
  if (!existsSync(directory)) unpack(archive, directory);
  return directory;
}

/** Unpacks beside the target and renames: two processes at once leave one whole directory. */
function unpack(archive, directory) {
  mkdirSync(dirname(directory), { recursive: true });
  const temporary = mkdtempSync(`${directory}-`);
  try {
    const tar = join(temporary, 'part.tar');
    writeFileSync(tar, brotliDecompressSync(readFileSync(archive)));
    execFileSync('tar', ['-xf', tar, '-C', temporary], { stdio: 'inherit' });
    rmSync(tar);
    renameSync(temporary, directory);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (!existsSync(directory)) throw error;
  }
}
