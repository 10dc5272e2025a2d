import { type DiagnosisCode, isThrottled, type Problem } from '@expunge/contracts';
import {
  type Circumstances,
  isFresh,
  type JobInQuestion,
  type KnownWorker,
  nameOf,
  workersOf,
} from './circumstances.js';
import { evidence, found, type Found } from './finding.js';
import type { Leg } from './legs.js';

/** An error bears the time of the host that met it. */
const CLOCKS_DIFFER_MS = 1_000;

type StoreCode = Extract<DiagnosisCode, `STORE:${string}`>;

/** Names of readiness checks that ask a store, and the store in words. */
const stores = {
  mongodb: "the service's own MongoDB",
  records: 'the MongoDB of the records',
  bucket: 'the bucket',
} as const;
type StoreName = keyof typeof stores;

/** Whether a store refuses: by what its workers say of it now, and by what the job's last attempt met. */
export function ofStores(leg: Leg, { job }: JobInQuestion, circumstances: Circumstances): Found[] {
  const workers = workersOf(circumstances, leg.service).filter(isFresh);
  const hasOwnBucket = circumstances.resourcesWithBucket.has(job.request?.resource ?? '');
  // What a server answered for S3_BUCKET is no word of another; that none answered is one of the server of both.
  const isOfJob = (store: StoreName, { status }: Problem) =>
    store !== 'bucket' || !hasOwnBucket || status === undefined;
  const byWorkers = (Object.keys(stores) as StoreName[]).flatMap((store) =>
    ofStore(store, workers, circumstances.now, (problem) => isOfJob(store, problem)),
  );
  return byWorkers.length > 0 ? byWorkers : ofLastAttempt(leg, job, circumstances);
}

function ofStore(
  store: StoreName,
  workers: readonly KnownWorker[],
  now: Date,
  isOfJob: (problem: Problem) => boolean,
): Found[] {
  const told = workers.flatMap((worker) => {
    const problem = worker.beat.problems?.[store];
    return problem && isOfJob(problem) ? [{ worker, problem }] : [];
  });
  const [first] = told;
  if (!first) return [];
  const code = codeOf(store, first.problem);
  const summary = `${nameOf(first.worker)} cannot use ${stores[store]}: ${first.problem.code}: ${first.problem.message}`;
  return [
    found(code, told.length === workers.length ? 'blocking' : 'warning', summary, {
      evidence: told.map(({ worker, problem }) =>
        evidence('heartbeat', `${store} as ${nameOf(worker)} finds it`, {
          observed: `${problem.code}: ${problem.message}`,
          expected: 'an answer',
          at: now.toISOString(),
        }),
      ),
      nextActions: [actionOf[code]],
    }),
  ];
}

/** What the job's last attempt met, while nothing of it has gone since. */
function ofLastAttempt(leg: Leg, job: JobInQuestion['job'], { now }: Circumstances): Found[] {
  const met = leg.part === 'objects' ? ofObjects(leg, job) : ofRecords(job);
  if (!met) return [];
  const { store, error } = met;
  const code = codeOf(store, error);
  return [
    found(code, 'blocking', `The last attempt met ${stores[store]} with ${error.code}: ${error.message}`, {
      evidence: [
        evidence('ledger', 'last error of the job', {
          observed: `${error.code}: ${error.message}`,
          expected: 'none',
          at: now.toISOString(),
        }),
      ],
      nextActions: [actionOf[code]],
    }),
  ];
}

interface Met {
  store: StoreName;
  error: { code: string; message: string };
}

function ofRecords({ delay, progressedAt }: JobInQuestion['job']): Met | null {
  const isCurrent = delay !== null && delay.sequence > progressedAt && delay.cause === 'store';
  return isCurrent ? { store: 'records', error: delay.error } : null;
}

function ofObjects({ since }: Leg, { lastError, delay }: JobInQuestion['job']): Met | null {
  // A deleter's wait is no word of the bucket.
  if (lastError === null || lastError.code === delay?.error.code) return null;
  const isCurrent = Date.parse(lastError.at) >= since.getTime() - CLOCKS_DIFFER_MS;
  return isCurrent ? { store: 'bucket', error: lastError } : null;
}

const DENIED = /Denied|Forbidden|SignatureDoesNotMatch|InvalidAccessKeyId|Unauthorized|ObjectLocked|^HTTP_40[13]$/;

export function codeOf(store: StoreName, { code, status }: Pick<Problem, 'code' | 'status'>): StoreCode {
  if (store !== 'bucket') return 'STORE:MONGO_UNAVAILABLE';
  if (DENIED.test(code) || status === 403 || status === 401) return 'STORE:OBJECTS_DENIED';
  if (isThrottled({ code, status })) return 'STORE:OBJECTS_THROTTLED';
  return 'STORE:OBJECTS_UNAVAILABLE';
}

const actionOf: Record<StoreCode, string> = {
  'STORE:MONGO_UNAVAILABLE': 'Start MongoDB, or look at the network between it and the service.',
  'STORE:OBJECTS_UNAVAILABLE': 'Look at S3_ENDPOINT and the network between it and the storage-cleaner.',
  'STORE:OBJECTS_DENIED':
    'Give the token of S3_ACCESS_KEY_ID the rights that docs/security.md names (it reads .expunge/probe, too), then retry.',
  'STORE:OBJECTS_THROTTLED': 'Wait: it is asked again with growing pauses. Lower the rate if it lasts.',
};
