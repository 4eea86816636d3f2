// Runs the suites of the devices and kernels with many times as many random cases as `npm test`, WebGPU's on a
// second driver, too. It takes up to 20 minutes; the seed that it prints repeats the cases.
//   node scripts/testKernels.mjs [factor = 10] [seed]
import { testOnLavapipe } from './lavapipe.mjs';
import { runJest } from './runJest.mjs';
import { swiftshaderEnvironment } from './swiftshader.mjs';

const [factor = '10', seed = String(Date.now() % 2 ** 31)] = process.argv.slice(2);
if (!(Number(factor) > 1) || !/^\d+$/.test(seed)) {
  console.error('usage: node scripts/testKernels.mjs [factor above 1] [seed, a whole number]');
  process.exit(2);
}
const env = { SEINE_KERNELS: factor, SEINE_SEED: seed };
console.log(`${factor} times as many cases as in npm test, seed ${seed}`);
const status = runJest(['test/device', 'test/kernels'], { ...swiftshaderEnvironment(), ...env });
process.exit(Math.max(status, testOnLavapipe(env, true)));
