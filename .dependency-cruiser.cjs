/** The layers of docs/architecture.md, held at every lint. */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'services-never-import-each-other',
      severity: 'error',
      from: { path: '^services/([^/]+)/' },
      to: { path: '^services/([^/]+)/', pathNot: '^services/$1/' },
    },
    {
      name: 'libs-never-import-services-or-tools',
      severity: 'error',
      from: { path: '^libs/', pathNot: '(^libs/[^/]+/test/|\\.spec\\.ts$)' },
      to: { path: '^(services|tools|test)/' },
    },
    {
      name: 'services-never-import-tools-or-tests',
      severity: 'error',
      from: { path: '^services/', pathNot: '(^services/[^/]+/test/|\\.spec\\.ts$)' },
      to: { path: '^(tools|test)/' },
    },
    {
      name: 'contracts-depend-on-the-schema-library-alone',
      severity: 'error',
      from: { path: '^libs/contracts/src', pathNot: '\\.spec\\.ts$' },
      to: { pathNot: ['^libs/contracts/src', 'node_modules/zod/'] },
    },
    {
      name: 'messaging-knows-contracts-only',
      severity: 'error',
      from: { path: '^libs/messaging/' },
      to: { path: '^libs/runtime/' },
    },
    {
      name: 'the-deletion-core-is-pure',
      comment: 'What a job does next is decided without I/O: the core imports the contracts and itself.',
      severity: 'error',
      from: { path: '^services/deleter/src/deletion-job/', pathNot: '\\.spec\\.ts$' },
      to: { pathNot: ['^services/deleter/src/deletion-job/', '^libs/contracts/'] },
    },
    {
      name: 'the-fold-is-pure',
      severity: 'error',
      from: {
        path: '^services/monitor/src/projection/(?!.*\\.(repository|service|consumer|controller)\\.ts)',
        pathNot: '\\.spec\\.ts$',
      },
      to: { pathNot: ['^services/monitor/src/projection/', '^libs/contracts/'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules|dist' },
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['types', 'import', 'default'] },
  },
};
