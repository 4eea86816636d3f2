export default {
  rootDir: '..',
  testEnvironment: '<rootDir>/test/environment.mjs',
  globalSetup: '<rootDir>/test/unpackChromium.mjs',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/build/'], // copies of the working tree
  extensionsToTreatAsEsm: ['.ts'],
  // Tests name the TypeScript sources and run what is shipped: the compiled files, worker threads included.
  moduleNameMapper: { '^(?:\\.\\./)+ts/(.*)\\.ts$': '<rootDir>/dist/$1.js' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript' },
          experimental: { keepImportAttributes: true },
        },
      },
    ],
  },
  // Software adapters take half a minute to compile some shaders, on a machine that does nothing else.
  testTimeout: 180_000,
  maxWorkers: 2,
};
