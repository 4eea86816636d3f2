import { TestEnvironment } from 'jest-environment-node';

// Native addons (onnxruntime-node, our own) create values of the host realm; without shared
// constructors `instanceof Float32Array` fails inside jest's sandbox.
const SHARED = [
  'ArrayBuffer',
  'SharedArrayBuffer',
  'DataView',
  'Float32Array',
  'Float64Array',
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'BigInt64Array',
  'BigUint64Array',
  'Error',
  'TypeError',
  'RangeError',
];

export default class SharedRealmEnvironment extends TestEnvironment {
  async setup() {
    await super.setup();
    for (const name of SHARED) this.global[name] = globalThis[name];
  }

  /** With SEINE_FIRST_FAILURE, tests behind the first that fails are skipped. */
  handleTestEvent({ name, test }) {
    if (process.env.SEINE_FIRST_FAILURE === undefined) return;
    this.failed ||= name === 'test_fn_failure';
    if (name === 'test_start' && this.failed) test.mode = 'skip';
  }
}
