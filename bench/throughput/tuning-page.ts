import type { Tuning } from './floor-tuning.js';
import { asTable } from '../report/table.js';

export type TuningRow = Tuning & { files: number; records_per_second: number };

const unique = (values: readonly number[]): number[] => [...new Set(values)].sort((a, b) => a - b);

/** The fastest for so many files. */
export function bestOf(rows: readonly TuningRow[], files: number): TuningRow | undefined {
  return rows
    .filter((row) => row.files === files)
    .reduce<TuningRow | undefined>(
      (best, row) => (best && best.records_per_second >= row.records_per_second ? best : row),
      undefined,
    );
}

/** In Markdown: records a second, the best of each number of files in bold. */
export function asTuningPage({
  records,
  turns,
  rows,
}: {
  records: number;
  turns: number;
  rows: readonly TuningRow[];
}): string {
  const tables = unique(rows.map(({ files }) => files)).map((files) => {
    const own = rows.filter((row) => row.files === files);
    const best = bestOf(rows, files);
    const cell = (row: TuningRow | undefined) =>
      row === undefined ? '' : row === best ? `**${row.records_per_second}**` : String(row.records_per_second);
    const purges = unique(own.map((row) => row.purges));
    const lines = unique(own.map(({ page }) => page)).map((page) => [
      String(page),
      ...purges.map((n) => cell(own.find((row) => row.page === page && row.purges === n))),
    ]);
    const head = ['page', ...purges.map((n) => `${n} purges under way`)];
    return `## ${files} files a record\n\n${asTable([head, ...lines])}\n`;
  });
  const title = `# The floor, tuned\n\nRecords a second, medians of ${turns}, of a tenant of ${records} records; the bucket answers at once. Written by \`bench/floor-tuning.bench.ts\`.\n`;
  return [title, ...tables].join('\n');
}
