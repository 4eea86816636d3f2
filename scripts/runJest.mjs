// Jest with the flags that the suites need.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Runs suites, in the environment `env` and without network. Returns the exit status. */
export function runJest(args, env = {}) {
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const { status, error } = spawnSync(
    process.execPath,
    [...flags, 'node_modules/jest/bin/jest.js', '-c', 'test/jest.config.mjs', ...args],
    // The Vulkan loader reads its variables when the process starts, so they cannot be set by a test.
    { cwd: root, stdio: 'inherit', env: { ...process.env, ...env, SEINE_OFFLINE: '1' } },
  );
  if (error) throw error;
  return status ?? 1;
}
