// One project a test level; the suffix of the file is the level (docs/architecture.md, "Tests").
const common = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    '^@expunge/(contracts|messaging|runtime|telemetry)$': '<rootDir>/libs/$1/src/index.ts',
    '^@expunge/(cli|local-stack)$': '<rootDir>/tools/$1/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2024',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
        module: { type: 'es6' },
      },
    ],
  },
  modulePathIgnorePatterns: ['<rootDir>/.*/dist/', '<rootDir>/.local/'],
  injectGlobals: false,
};

const servers = {
  globalSetup: '<rootDir>/test/support/start-servers.ts',
  globalTeardown: '<rootDir>/test/support/stop-servers.ts',
};

const stacks = {
  globalSetup: '<rootDir>/test/support/choose-servers.ts',
  setupFilesAfterEnv: ['<rootDir>/test/support/patience.ts'],
};

export default {
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: ['<rootDir>/**/*.spec.ts'],
      testPathIgnorePatterns: ['/node_modules/', '/dist/', '\\.int\\.spec\\.ts$', '\\.e2e\\.spec\\.ts$'],
    },
    { ...common, ...servers, displayName: 'int', testMatch: ['<rootDir>/**/*.int.spec.ts'] },
    {
      ...common,
      ...stacks,
      displayName: 'e2e',
      testMatch: ['<rootDir>/test/**/*.e2e.spec.ts'],
      testPathIgnorePatterns: ['/node_modules/', '\\.(full|alone|containers)\\.e2e\\.spec\\.ts$'],
    },
    // What asserts how soon something is said, so that nothing else may run beside it.
    {
      ...common,
      ...stacks,
      displayName: 'alone',
      testMatch: ['<rootDir>/test/**/*.alone.e2e.spec.ts'],
    },
    // What takes minutes: `npm run test:full`.
    {
      ...common,
      ...stacks,
      displayName: 'full',
      testMatch: ['<rootDir>/test/**/*.full.e2e.spec.ts'],
    },
    // What needs a container engine: `npm run test:containers`.
    { ...common, displayName: 'compose', testMatch: ['<rootDir>/test/**/*.containers.e2e.spec.ts'] },
    // What is measured, and never judged by its time: `npm run bench`.
    {
      ...common,
      ...stacks,
      displayName: 'bench',
      testMatch: ['<rootDir>/bench/**/*.bench.ts'],
    },
  ],
};
