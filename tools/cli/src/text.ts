import { stripVTControlCharacters } from 'node:util';
import { isOver, type ShownJob, type Verdict } from './answers.js';

/** For a terminal: a reason, a key or a message is somebody else's text, and must not move the cursor. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex
  return stripVTControlCharacters(text).replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
}

/** The same of several lines that are ours. */
export const printableLines = (lines: readonly string[]): string => lines.map(printable).join('\n');

export function format(number: number): string {
  return number.toLocaleString('en');
}

export function count(number: number, noun: string): string {
  return `${format(number)} ${noun}${number === 1 ? '' : 's'}`;
}

/** `650/s`, `eta 2 s`, `running`: empty where it is over, or not known. */
export function outlook({ rate, eta, status }: Outlook, now: number): string[] {
  const [speed, end] = isOver({ status }) ? [null, null] : [rate, eta];
  return [
    speed ? `${format(Math.round(speed))}/s` : '',
    end ? `eta ${format(Math.max(0, Math.ceil((Date.parse(end) - now) / 1000)))} s` : '',
    status,
  ];
}

interface Outlook {
  readonly rate?: number | null;
  readonly eta?: string | null;
  readonly status: string;
}

/** `1,200/2,000 records, 2,100/2,400 objects, 3 failed, 650/s, eta 2 s, running` */
export function progressText(job: ShownJob, now: number): string {
  const { succeeded, failed_count: failed, total, total_is_estimate: isEstimate, objects } = job.progress;
  const planned = objects.purged + objects.retained + objects.failed + objects.pending;
  const of = total === null ? '' : `/${isEstimate ? 'about ' : ''}${format(total)}`;
  const parts = [
    `${format(succeeded)}${of} records`,
    planned > 0 ? `${format(objects.purged)}/${count(planned, 'object')}` : '',
    failed + objects.failed > 0 ? `${format(failed + objects.failed)} failed` : '',
    objects.retained > 0 ? `${format(objects.retained)} retained` : '',
    ...outlook(job, now),
  ];
  return parts.filter(Boolean).join(', ');
}

/** `WORKER:NO_HEARTBEAT (blocking, since …): No deleter has been heard …` */
export function verdictText({ code, severity, since, summary }: Verdict): string {
  if (code === null) return 'nothing keeps it from moving';
  const when = since === null ? '' : `, since ${since}`;
  return `${code} (${severity ?? 'info'}${when}): ${summary ?? ''}`;
}

/** One thing a line, names to the left. */
export function jobText(job: ShownJob, now: number): string {
  const { last_request: request, confirmation, dry_run: dryRun, last_error: error } = job;
  const counted = ({ total, total_is_estimate: isEstimate }: { total: number; total_is_estimate: boolean }) =>
    `${isEstimate ? 'about ' : ''}${count(total, 'record')}`;
  const rows: [string, string | null][] = [
    ['job', job.id],
    ['tenant', job.tenant],
    ['resource', job.resource],
    ['selection', job.selection === null ? null : JSON.stringify(job.selection)],
    ['reason', job.reason],
    ['requested', [job.requested_at, job.requested_by && `by ${job.requested_by}`].filter(Boolean).join(' ')],
    ['progress', progressText(job, now)],
    ['limit', job.max_records_per_second === null ? null : `${format(job.max_records_per_second)} records a second`],
    ['confirmation', confirmation && `${counted(confirmation)} match: confirm, or cancel`],
    ['dry run', dryRun && `${counted(dryRun)} would go`],
    ['diagnosis', job.diagnosis && verdictText(job.diagnosis)],
    ['last request', request && [`${request.type} ${request.outcome}`, request.reason].filter(Boolean).join(': ')],
    ['last error', error && `${error.code}: ${error.message}, at ${error.at}`],
    ['completed', job.completed_at],
  ];
  return rows
    .filter((row): row is [string, string] => row[1] !== null && row[1] !== '')
    .map(([name, value]) => `${name.padEnd(13)} ${printable(value)}`)
    .join('\n');
}

/** Columns as wide as they must be, the last one as it is. */
export function table(rows: readonly (readonly string[])[]): string {
  const clean = rows.map((row) => row.map(printable));
  const widths = (clean[0] ?? []).map((_, i) => Math.max(...clean.map((row) => row[i]?.length ?? 0)));
  return clean
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
