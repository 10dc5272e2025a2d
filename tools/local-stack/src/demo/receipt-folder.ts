import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, parse } from 'node:path';
import type { Receipt, ReceiptFile, ReceiptSource } from './receipt.js';
import { count } from '@expunge/cli';
import { readFields } from './receipt-fields.js';

export interface ReceiptFolder extends ReceiptSource {
  /** What could not be read as a date or a number, in words; empty when all could. */
  readonly remarks: string;
}

/** `key/<name>.json` are the records' fields; `box/<name>.csv` and `img/<name>.jpg`, where there, their files. */
export function receiptFolder(folder: string, limit = Number.POSITIVE_INFINITY): ReceiptFolder {
  const names = namesIn(folder, 'key', '.json').sort().slice(0, limit);
  if (names.length === 0) throw new Error(`${folder} holds no key/*.json: it is no folder of receipts`);
  const boxes = new Set(namesIn(folder, 'box', '.csv'));
  const images = new Set(namesIn(folder, 'img', '.jpg'));
  const keptAsText = { date: 0, total: 0 };
  const receipts = names.map((name): Receipt => {
    const scanned = scannedFields(join(folder, 'key', `${name}.json`));
    const read = readFields(scanned);
    for (const field of read.keptAsText) keptAsText[field] += 1;
    const box = file(folder, 'box', `${name}.csv`, 'text/csv', 'attachment');
    const image = file(folder, 'img', `${name}.jpg`, 'image/jpeg', 'preview');
    return { fields: read.fields, files: [...(boxes.has(name) ? [box] : []), ...(images.has(name) ? [image] : [])] };
  });
  return {
    records: receipts.length,
    objects: receipts.reduce((sum, { files }) => sum + files.length, 0),
    receipts: () => receipts,
    remarks: remarksOn(keptAsText),
  };
}

function remarksOn({ date, total }: { date: number; total: number }): string {
  const remarks = [date > 0 ? count(date, 'date') : '', total > 0 ? count(total, 'total') : ''].filter(Boolean);
  return remarks.length === 0 ? '' : `${remarks.join(' and ')} could not be read and stay text`;
}

function scannedFields(path: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  } catch (error) {
    throw new Error(`${path} is no JSON: ${(error as Error).message}`, { cause: error });
  }
}

function file(folder: string, part: string, name: string, type: string, role: ReceiptFile['role']): ReceiptFile {
  return { name, type, role, content: () => readFile(join(folder, part, name)) };
}

function namesIn(folder: string, part: string, extension: string): string[] {
  try {
    return readdirSync(join(folder, part))
      .map((name) => parse(name))
      .filter(({ ext }) => ext === extension)
      .map(({ name }) => name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
