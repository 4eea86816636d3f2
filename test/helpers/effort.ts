/** How many times as many cases as in `npm test` the suites of the kernels try; `npm run test:kernels` sets it. */
export const EFFORT = Number(process.env.SEINE_KERNELS ?? 1);

/** Where random cases begin: the same number gives the same ones. */
export const SEED = Number(process.env.SEINE_SEED ?? Date.now() % 2 ** 31);

/** What the random cases of a property begin with, and whether a failure is made smaller, which takes long. */
export const DRAWN = { seed: SEED, endOnFailure: process.env.SEINE_SHRINK === '0' };
