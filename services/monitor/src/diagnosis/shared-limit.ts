import { type Circumstances, isFresh, type KnownWorker, nameOf, workersOf } from './circumstances.js';
import { evidence, found, type Found } from './finding.js';

/** A job that was sent away asks again within 4 s, and every deleter tells each 5 s. */
const HELD_UP_MATTERS_MS = 10_000;

type Told = NonNullable<KnownWorker['beat']['sharedLimit']>;

/** The limit of all jobs, where some deleter that lives made a job wait for it just now; null: none did. */
export function sharedLimitInForce(circumstances: Circumstances): { worker: KnownWorker; limit: Told } | null {
  const heldUp = workersOf(circumstances, 'deleter')
    .filter(isFresh)
    .flatMap((worker) => {
      const limit = worker.beat.sharedLimit;
      const forMs = limit?.heldUpMs === undefined ? Infinity : limit.heldUpMs + worker.ageMs;
      return limit && forMs <= HELD_UP_MATTERS_MS ? [{ worker, limit, forMs }] : [];
    });
  return heldUp.toSorted((a, b) => a.forMs - b.forMs)[0] ?? null;
}

/** Nobody tells which jobs wait: each that runs shares what there is, however seldom its turn comes. */
export function ofSharedLimit(circumstances: Circumstances): Found[] {
  const inForce = sharedLimitInForce(circumstances);
  if (!inForce) return [];
  const { worker, limit } = inForce;
  const { maxRecordsPerSecond, heldUpMs } = limit;
  const summary = `All jobs together are at their limit, MAX_RECORDS_PER_SECOND: ${maxRecordsPerSecond} records a second, of which this one has its share.`;
  return [
    found('THROTTLE:RATE', 'info', summary, {
      evidence: [
        evidence('heartbeat', 'limit of all jobs', {
          observed: `${maxRecordsPerSecond} records a second; ${nameOf(worker)} made a job wait for it ${heldUpMs} ms before its last heartbeat`,
          expected: 'no job waits for it',
          at: worker.heardAt,
        }),
      ],
      nextActions: ['Raise MAX_RECORDS_PER_SECOND of all deleters, or pause jobs that can wait.'],
    }),
  ];
}
