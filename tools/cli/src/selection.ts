import { readFileSync } from 'node:fs';
import { UsageError } from './usage-error.js';

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
 * @throws UsageError that names what is wrong
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
  throw new UsageError('exactly one of --all, --ids, --ids-from and --filter says what is to be deleted');
}

function idsIn(file: string): string[] {
  const ids = read(file)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (ids.length === 0) throw new UsageError(`--ids-from ${file} names no id`);
  return ids;
}

function read(file: string): string {
  try {
    return readFileSync(file === '-' ? STDIN : file, 'utf8');
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}
