import type { Command } from 'commander';
import type { Health, ResourceCheck, WorkerConfig } from '../answers.js';
import { action } from '../context.js';
import { exitCode } from '../exit-code.js';
import { printableLines } from '../text.js';

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('whether all is well, and who listens')
    .option('--resource <name>', 'also whether this resource can be deleted from')
    .action(
      action(async ({ api, show }, { resource }: { resource?: string }) => {
        const [health, config, check] = await Promise.all([
          api.ask<Health>('/jobs/health'),
          api.ask<WorkerConfig>('/jobs/worker/config'),
          resource === undefined ? null : api.ask<ResourceCheck>(`/resources/${encodeURIComponent(resource)}/check`),
        ]);
        const lines = [...healthLines(health, config), ...(check ? checkLines(check) : [])];
        show({ health, worker_config: config, ...(check && { resource_check: check }) }, printableLines(lines));
        return health.status === 'ok' && check?.ok !== false && check?.ok !== null ? exitCode.done : exitCode.unwell;
      }),
    );
}

function healthLines({ status, reasons }: Health, { queues, not_checked: unchecked }: WorkerConfig): string[] {
  return [
    `expunge is ${status}`,
    ...reasons.map((reason) => `  ${reason}`),
    ...queues.flatMap(({ name, service, consumer_count: consumers, missing, unexpected }) => [
      `${name}: ${consumers === null ? 'nobody knows how many' : consumers} of ${service} listen`,
      ...missing.map((what) => `  missing: ${what}`),
      ...unexpected.map((what) => `  unexpected: ${what}`),
    ]),
    ...unchecked.map(({ what, why }) => `not checked: ${what}: ${why}`),
  ];
}

function checkLines({ resource, ok, checks, not_checked: unchecked }: ResourceCheck): string[] {
  const verdict =
    ok === null ? 'may not be fit to be deleted from' : ok ? 'can be deleted from' : 'is not fit to be deleted from';
  return [
    `${resource} ${verdict}`,
    ...checks.map((one) => `  ${one.ok === null ? 'unknown' : one.ok ? 'ok' : 'NOT OK'}: ${one.check}: ${one.detail}`),
    ...unchecked.map(({ what, why }) => `  not checked: ${what}: ${why}`),
  ];
}
