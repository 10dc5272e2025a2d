import { buckets, contestants, type Run } from '../throughput/run.js';
import { median, type Ratio, type Ratios, select } from './ratios.js';

export const NAMES = {
  floor: 'floor',
  original: "the original's way",
  'expunge-1': 'Expunge, 1 deleter',
  'expunge-2': 'Expunge, 2 deleters',
} as const;
export const BUCKETS = {
  instant: 'answers at once',
  remote: 'answers after 50 ms',
  simulator: 'R2 simulator',
} as const;

const HEAD = [
  'bucket',
  'files',
  'contestant',
  'records',
  'runs',
  'records/s',
  'objects/s',
  'first batch ms',
  'CPU s',
  'peak MB',
  'written B/record',
  'messages/record',
  'event to projection ms',
];

export const whole = (value: number): string => Math.round(value).toLocaleString('en');
const sum = (values: Record<string, number>): number => Object.values(values).reduce((all, one) => all + one, 0);

/** Medians over the turns; processor time, memory and bytes of all its processes together, servers included. */
function rowOf(runs: readonly Run[]): string[] {
  const [first] = runs;
  if (!first) return [];
  const of = (value: (run: Run) => number) => median(runs.map(value));
  const fold = first.fold_ms
    ? `${whole(of((run) => run.fold_ms?.p50 ?? 0))} / ${whole(of((run) => run.fold_ms?.p99 ?? 0))}`
    : '';
  return [
    BUCKETS[first.bucket],
    String(first.files),
    NAMES[first.contestant],
    whole(first.records),
    String(runs.length),
    whole(of((run) => run.records_per_second)),
    first.files === 0 ? '' : whole(of((run) => run.objects_per_second)),
    whole(of((run) => run.first_batch_ms)),
    of((run) => sum(run.cpu_seconds)).toFixed(1),
    whole(of((run) => sum(run.peak_mb))),
    whole(of((run) => sum(run.written_bytes.per_record))),
    first.messages ? of((run) => run.messages?.per_record ?? 0).toFixed(3) : '',
    fold,
  ];
}

/** In Markdown, with columns of one width. */
export function asTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...rest] = rows;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rest.map(line)].join('\n');
}

export function throughputTable(runs: readonly Run[]): string {
  const files = [...new Set(runs.map((run) => run.files))].sort((a, b) => a - b);
  const rows = buckets.flatMap((bucket) =>
    files.flatMap((n) => contestants.map((contestant) => rowOf(select(runs, { bucket, files: n, contestant })))),
  );
  return asTable([HEAD, ...rows.filter((row) => row.length > 0)]);
}

export function ratioTable(ratios: Ratios): string {
  const isRatio = (value: object): value is Ratio => 'median' in value;
  const rows = Object.entries(ratios).flatMap(([name, value]: [string, Ratio | Record<string, Ratio | null> | null]) =>
    value === null || isRatio(value)
      ? [{ name, ratio: value }]
      : Object.entries(value).map(([files, ratio]) => ({ name: `${name}, ${files.replace('_', ' ')}`, ratio })),
  );
  const text = (value: number | undefined) => value?.toFixed(3) ?? '';
  return asTable([
    ['ratio', 'min', 'median', 'max'],
    ...rows.flatMap(({ name, ratio }) =>
      ratio ? [[name.replaceAll('_', ' '), text(ratio.min), text(ratio.median), text(ratio.max)]] : [],
    ),
  ]);
}
