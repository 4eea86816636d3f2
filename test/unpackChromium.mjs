import chromium from '@sparticuz/chromium';

/** Unpacks the browser before the suites start: two that did so at once would meet it half-written. */
export default async function unpackChromium() {
  await chromium.executablePath().catch(() => {}); // the suites that need it say what is wrong
}
