import { type DeletionJob, withLane } from '../../src/deletion-job/deletion-job.js';
import { writtenAt } from './clock.js';
import { DELETE } from './requests.js';
import { begin } from './request-handler.js';
import type { Budget, Size, World } from './world.js';

const nothing: Budget = { crashes: 0, freezes: 0, lostSlices: 0, lostRequests: 0, repeats: 0, purges: 0, edits: 0 };

export function firstWorld(size: Size): World {
  const isRunning = size.from === 'running';
  const started = begin('w1');
  const { outbox } = started;
  const job: DeletionJob = {
    ...withLane(started, { strikes: size.strikes ?? 0, holder: size.strikes === undefined ? null : 'w0' }),
    outbox: [],
    writtenAt: writtenAt(started.revision),
  };
  const workers = size.workers ?? 2;
  return {
    clock: 0,
    job: isRunning ? job : null,
    records: size.records,
    deletes: [],
    failures: [],
    eventStore: isRunning ? outbox : [],
    queued: [],
    heard: isRunning ? outbox : [],
    slices: isRunning ? [{ turn: job.lanes[0].turn, seen: null }] : [],
    requests: [...size.requests, ...(isRunning ? [] : [DELETE])].sort(),
    lostRequests: [],
    workers: Array.from({ length: workers }, (_, i) => ({ name: `w${i + 1}`, life: 0, at: null })),
    budget: { ...nothing, ...size.budget },
    past: { owed: [], deleted: [], taken: [], put: [], refused: [], handled: [], made: 0 },
  };
}
