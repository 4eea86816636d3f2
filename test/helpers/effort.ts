/** How many times as many cases as in `npm test` the suites of the kernels try; `npm run test:kernels` sets it. */
export const EFFORT = Number(process.env.SEINE_KERNELS ?? 1);

/** Where random cases begin: the same number gives the same ones. */
export const SEED = Number(process.env.SEINE_SEED ?? Date.now() % 2 ** 31);
