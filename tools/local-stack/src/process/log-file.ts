import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const tail = 4_096;

/** A server's output, appended over all its lives. */
export class LogFile {
  readonly descriptor: number;

  constructor(readonly path: string) {
    this.descriptor = openSync(path, 'a+');
  }

  lastLines(count = 15): string {
    const { size } = fstatSync(this.descriptor);
    const buffer = Buffer.alloc(Math.min(size, tail));
    readSync(this.descriptor, buffer, 0, buffer.length, Math.max(0, size - tail));
    const lines = buffer.toString('utf8').trimEnd().split('\n').slice(-count);
    return lines.map((line) => `  | ${line}`).join('\n');
  }

  close(): void {
    closeSync(this.descriptor);
  }
}
