import chromium from '@sparticuz/chromium';
import { type Browser, chromium as driver } from 'playwright-core';
import { unpackPart } from '../../scripts/unpackPart.mjs';

/** Whether the tests in a browser are left out, as whoever started them wants. */
export const withoutChromium = process.env.SEINE_WITHOUT_CHROMIUM === '1';
if (withoutChromium) console.warn('Nothing is tested in a browser: SEINE_WITHOUT_CHROMIUM is set.');

/** Of the flags for functions in the cloud, those that switch off what the page's policy stands on. */
const UNWANTED =
  /single-process|no-zygote|disable-web-security|insecure-content|site-isolation|site-per-process/;

/** A real browser. Where none runs, the error says how to leave its tests out. */
export async function launchBrowser(flags: readonly string[] = []): Promise<Browser> {
  try {
    return await driver.launch({
      executablePath: await chromium.executablePath(),
      args: [...chromium.args.filter((flag) => !UNWANTED.test(flag)), ...flags],
      env: { ...process.env, LD_LIBRARY_PATH: libraries() },
      headless: true,
    });
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    throw new Error(`No browser runs here (${reason}); SEINE_WITHOUT_CHROMIUM=1 leaves its tests out.`, {
      cause: error,
    });
  }
}

/** Where the browser finds libraries such as NSS: its package brings those that a bare system lacks. */
function libraries(): string {
  const own = unpackPart('al2023');
  return [process.env.LD_LIBRARY_PATH, own && `${own}/lib`].filter(Boolean).join(':');
}
