import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import type { ShownJob } from '../answers.js';
import { action, type Context } from '../context.js';
import { exitCode } from '../exit-code.js';
import { jobPath } from '../paths.js';
import { jobText } from '../text.js';
import { UsageError } from '../usage-error.js';
import { watch } from '../watch.js';

interface Verb {
  readonly verb: string;
  readonly description: string;
  /** The job goes on after it: there is something to follow. */
  readonly goesOn: boolean;
}

const verbs: readonly Verb[] = [
  { verb: 'pause', description: 'let no further record go until it is resumed', goesOn: false },
  { verb: 'resume', description: 'go on where it was', goesOn: true },
  {
    verb: 'cancel',
    description: 'let no further record go; what is gone stays gone, and its objects go, too',
    goesOn: false,
  },
  { verb: 'retry', description: 'go on with what has failed, or look again', goesOn: true },
  { verb: 'confirm', description: 'let one begin that means more records than go unasked', goesOn: true },
];

interface ControlOptions {
  readonly reason?: string;
  readonly watch?: true;
}

/** What is asked of a job that there is. */
export function addControl(jobs: Command): void {
  for (const { verb, description, goesOn } of verbs) {
    const command = jobs.command(`${verb} <job>`).description(description).option('--reason <text>', 'for the record');
    if (goesOn) command.option('--watch', 'follow it to its end');
    command.action(
      action(async (context, id: string, { reason, watch: isWatched }: ControlOptions) => {
        const job = await change(context, 'POST', `${jobPath(id)}/${verb}`, { reason });
        if (isWatched) return watch(context, id, job.last_request);
        context.show(job, jobText(job, Date.now()));
        return exitCode.done;
      }),
    );
  }
  jobs
    .command('rate <job> <limit>')
    .description('change the limit of a job, in records a second; "none" lifts it')
    .action(
      action(async (context, id: string, limit: string) => {
        const job = await change(context, 'PATCH', jobPath(id), { max_records_per_second: limitOf(limit) });
        context.show(job, jobText(job, Date.now()));
        return exitCode.done;
      }),
    );
}

function change({ api }: Context, method: 'POST' | 'PATCH', path: string, body: object): Promise<ShownJob> {
  return api.ask<ShownJob>(path, { method, body, headers: { 'idempotency-key': randomUUID() } });
}

function limitOf(limit: string): number | null {
  if (limit === 'none') return null;
  if (/^[1-9]\d{0,6}$/.test(limit)) return Number(limit);
  throw new UsageError('the limit must be a whole number from 1 to 1000000, or none');
}
