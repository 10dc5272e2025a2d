import { randomUUID } from 'node:crypto';
import { type Command, Option } from 'commander';
import type { ShownJob } from '../answers.js';
import { json, wholeNumber } from '../arguments.js';
import { action, type Context } from '../context.js';
import { exitCode, type ExitCode } from '../exit-code.js';
import { jobPath } from '../paths.js';
import { type SelectionOptions, selectionOf } from '../selection.js';
import { jobText, progressText, table } from '../text.js';
import { watch } from '../watch.js';
import { addControl } from './control.js';

const PAGE = 200;

interface CreateOptions extends SelectionOptions {
  readonly resource: string;
  readonly dryRun?: true;
  readonly basedOn?: string;
  readonly expectedMaxRecords?: number;
  readonly batchSize?: number;
  readonly rate?: number;
  readonly verify?: string;
  readonly reason?: string;
  readonly idempotencyKey?: string;
  readonly strict?: true;
  readonly watch?: true;
}

interface ListOptions {
  readonly status?: string;
  readonly resource?: string;
  readonly limit: number;
}

export function addJobs(program: Command): void {
  const jobs = program.command('jobs').description('deletions of a tenant');
  jobs
    .command('create')
    .description('ask for records, and every file they own, to be deleted')
    .requiredOption('--resource <name>', 'what kind of records, as RESOURCES_FILE names it')
    .option('--all', 'every record of the tenant')
    .option('--ids <id...>', 'these records')
    .option('--ids-from <file>', 'the records named there, an id a line; - is the standard input')
    .option('--filter <json>', 'records that match, as in {"total": {"gte": 100}}', json)
    .option('--dry-run', 'delete nothing; say how many would go, and show some')
    .option('--based-on <job>', 'touch nothing that was created after this dry run')
    .option('--expected-max-records <n>', 'delete nothing if more match', wholeNumber(1, 2_147_483_647))
    .option('--batch-size <n>', 'records a batch', wholeNumber(1, 1_000))
    .option('--rate <n>', 'records a second at most', wholeNumber(1, 1_000_000))
    .addOption(new Option('--verify <how>', 'what is looked for at the end').choices(['sample', 'full', 'none']))
    .option('--reason <text>', 'for the record')
    .option('--idempotency-key <key>', 'the same request twice is one job; a new one each time unless given')
    .option('--strict', 'refuse where nobody listens who would do it')
    .option('--watch', 'follow it to its end')
    .action(
      action(async (context, options: CreateOptions) => {
        const job = await context.api.ask<ShownJob>('/jobs', {
          method: 'POST',
          body: bodyOf(options),
          headers: {
            'idempotency-key': options.idempotencyKey ?? randomUUID(),
            ...(options.strict && { prefer: 'handling=strict' }),
          },
        });
        if (options.watch) return watch(context, job.id);
        context.show(job, job.id);
        return exitCode.done;
      }),
    );
  jobs
    .command('list')
    .description('the jobs of the tenant, the newest first')
    .option('--status <status>', 'only these, separated by commas')
    .option('--resource <name>', 'only of this resource')
    .option('--limit <n>', 'how many at most', wholeNumber(1, 100_000), 50)
    .action(action(list));
  jobs
    .command('show <job>')
    .description('one job')
    .option('--at <time>', 'as it was then (RFC 3339)')
    .action(
      action(async ({ api, show }, id: string, { at }: { at?: string }) => {
        const query = at === undefined ? '' : `?at=${encodeURIComponent(at)}`;
        const job = await api.ask<ShownJob>(jobPath(id) + query);
        show(job, jobText(job, Date.now()));
        return exitCode.done;
      }),
    );
  jobs
    .command('watch <job>')
    .description('follow a job to its end, or until it waits for a confirmation')
    .action(action((context, id: string) => watch(context, id)));
  addControl(jobs);
}

function bodyOf(options: CreateOptions): Record<string, unknown> {
  const { resource, reason } = options;
  const given = {
    dry_run: options.dryRun,
    based_on: options.basedOn,
    expected_max_records: options.expectedMaxRecords,
    batch_size: options.batchSize,
    max_records_per_second: options.rate,
    verify: options.verify,
  };
  // What is undefined is left out of the JSON.
  return { resource, selection: selectionOf(options), options: given, reason };
}

async function list({ api, show }: Context, { status, resource, limit }: ListOptions): Promise<ExitCode> {
  const jobs: ShownJob[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ limit: String(Math.min(PAGE, limit - jobs.length)) });
    for (const [name, value] of Object.entries({ status, resource, cursor })) if (value != null) query.set(name, value);
    const page: { jobs: ShownJob[]; next_cursor: string | null } = await api.ask(`/jobs?${String(query)}`);
    jobs.push(...page.jobs);
    cursor = page.next_cursor;
  } while (cursor !== null && jobs.length < limit);
  const rows = jobs.map((job) => [
    job.id,
    job.requested_at ?? '',
    job.resource ?? '',
    progressText(job, Date.now()),
    job.diagnosis?.code ?? '',
  ]);
  show(
    { jobs },
    rows.length > 0 ? table([['JOB', 'REQUESTED', 'RESOURCE', 'PROGRESS', 'DIAGNOSIS'], ...rows]) : 'no job',
  );
  return exitCode.done;
}
