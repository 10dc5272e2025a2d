import { expect, it } from '@jest/globals';
import { used, usedBetween, usedBy } from './processes.js';

const stat = '4711 (node (a b) 1 2) S 1 4711 4711 0 -1 4194560 9 0 0 0 250 130 7 7 20 0 11 0 100 1 2';
const status = 'Name:\tnode\nVmPeak:\t  999999 kB\nVmHWM:\t  102401 kB\nVmRSS:\t   90000 kB\n';
const io = 'rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: 5\nwrite_bytes: 4096\ncancelled_write_bytes: 7\n';

it('reads processor time, greatest memory and bytes written, whatever the name of the program', () => {
  expect(used(stat, status, io)).toEqual({ cpuSeconds: 3.8, peakMb: 101, writtenBytes: 4096 });
});

it('tells what was used between two accounts, all of a process that began in between', () => {
  const before = { a: { cpuSeconds: 1, peakMb: 50, writtenBytes: 100 } };
  const after = {
    a: { cpuSeconds: 1.5, peakMb: 70, writtenBytes: 300 },
    b: { cpuSeconds: 2, peakMb: 9, writtenBytes: 10 },
  };
  expect(usedBetween(before, after)).toEqual({
    a: { cpuSeconds: 0.5, peakMb: 70, writtenBytes: 200 },
    b: { cpuSeconds: 2, peakMb: 9, writtenBytes: 10 },
  });
});

it('reads a running process', () => {
  const { us } = usedBy({ us: process.pid });
  expect(us?.cpuSeconds).toBeGreaterThan(0);
  expect(us?.peakMb).toBeGreaterThan(10);
});
