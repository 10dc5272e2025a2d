import { readFileSync } from 'node:fs';

const sampleEvery = 200;

/** A service, or whatever else has a name and runs. */
interface Running {
  readonly name: string;
  readonly process: { readonly pid: number };
}

/** The most resident memory of each service while something runs: VmRSS of its process, every 200 ms. */
export class ResidentMemory {
  readonly #peaks: Record<string, number> = {};
  readonly #timer: NodeJS.Timeout;

  constructor(private readonly services: readonly Running[]) {
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

/** 0 of one that has ended. */
export function residentMegabytes(pid: number): number {
  return Math.ceil(Number(/^VmRSS:\s+(\d+) kB$/m.exec(statusOf(pid))?.[1] ?? 0) / 1024);
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}
