import { readFileSync } from 'node:fs';

export interface SelectionOptions {
  readonly all?: boolean;
  readonly ids?: readonly string[];
  readonly idsFrom?: string;
  readonly filter?: unknown;
}

const STDIN = 0;

/**
 * Exactly one of them: nothing stands for "all" but `--all`.
 *
 * @throws Error that names what is wrong
 */
export function selectionOf({ all, ids, idsFrom, filter }: SelectionOptions): Record<string, unknown> {
  const given = [
    all === true && { all: true },
    ids && { ids },
    idsFrom !== undefined && { ids: idsIn(idsFrom) },
    filter !== undefined && { filter },
  ].filter((selection) => selection !== false && selection !== undefined);
  const [only] = given;
  if (given.length === 1 && only) return only;
  throw new Error('exactly one of --all, --ids, --ids-from and --filter says what is to be deleted');
}

function idsIn(file: string): string[] {
  const lines = readFileSync(file === '-' ? STDIN : file, 'utf8').split('\n');
  const ids = lines.map((line) => line.trim()).filter((line) => line !== '');
  if (ids.length === 0) throw new Error(`--ids-from ${file} names no id`);
  return ids;
}
