import { readFileSync } from 'node:fs';

/** By the name of the contestant's part: `deleter-1`, `mongodb`. */
export type Pids = Readonly<Record<string, number>>;

export interface Used {
  /** Of processor time, user and system. */
  cpuSeconds: number;
  /** The most memory that was ever resident. */
  peakMb: number;
  /** Written to files, whether or not they have reached the disk. */
  writtenBytes: number;
}

/** Of the kernel's clock as it tells it to programs: the same on every Linux. */
const TICKS_A_SECOND = 100;

/** What processes have used since they began, by the kernel's account. */
export function usedBy(pids: Pids): Record<string, Used> {
  return Object.fromEntries(
    Object.entries(pids).map(([name, pid]) => {
      const read = (file: string) => readFileSync(`/proc/${pid}/${file}`, 'utf8');
      return [name, used(read('stat'), read('status'), read('io'))];
    }),
  );
}

/** Of the texts of /proc/PID/stat, status and io. */
export function used(stat: string, status: string, io: string): Used {
  // What stands before is the name of the program, in which there may be anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  return {
    cpuSeconds: (user + system) / TICKS_A_SECOND,
    peakMb: Math.ceil(Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) / 1024),
    writtenBytes: Number(/^write_bytes: (\d+)$/m.exec(io)?.[1] ?? Number.NaN),
  };
}

/** Between two accounts; the peak is that of the second. A process that began in between is all in it. */
export function usedBetween(before: Record<string, Used>, after: Record<string, Used>): Record<string, Used> {
  return Object.fromEntries(
    Object.entries(after).map(([name, { cpuSeconds, peakMb, writtenBytes }]) => {
      const then = before[name] ?? { cpuSeconds: 0, writtenBytes: 0 };
      return [
        name,
        { cpuSeconds: cpuSeconds - then.cpuSeconds, peakMb, writtenBytes: writtenBytes - then.writtenBytes },
      ];
    }),
  );
}
