import { readFileSync } from 'node:fs';
import type { Service } from '@expunge/local-stack';

const sampleEvery = 200;

/** The most resident memory of each service while something runs: VmRSS of its process, every 200 ms. */
export class ResidentMemory {
  readonly #peaks: Record<string, number> = {};
  readonly #timer: NodeJS.Timeout;

  constructor(private readonly services: readonly Service[]) {
    this.#sample();
    this.#timer = setInterval(() => this.#sample(), sampleEvery);
  }

  /** Whole megabytes by instance. */
  stop(): Record<string, number> {
    clearInterval(this.#timer);
    this.#sample();
    return this.#peaks;
  }

  #sample(): void {
    for (const { name, process } of this.services) {
      this.#peaks[name] = Math.max(this.#peaks[name] ?? 0, residentMegabytes(process.pid));
    }
  }
}

function residentMegabytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kilobytes === undefined) throw new Error(`process ${pid} has no resident memory`);
  return Math.ceil(Number(kilobytes) / 1024);
}
