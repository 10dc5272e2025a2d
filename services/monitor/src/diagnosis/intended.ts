import { setsGoing, unanswered } from '../projection/status.js';
import { type Circumstances, type JobInQuestion, QUIET_AFTER_MS } from './circumstances.js';
import { evidence, found, type Found } from './finding.js';
import { ofSharedLimit, sharedLimitInForce } from './shared-limit.js';

const endsWait: readonly string[] = [...setsGoing, 'CancelRequested'];

/** Whether the job waits because it was told to, or by a rule that has an end. */
export function ofIntent(question: JobInQuestion, circumstances: Circumstances): Found[] {
  const { job } = question;
  const { now } = circumstances;
  const { stage, status } = job;
  // Once somebody has asked for its end, what keeps that from being heard is the reason.
  const isToEnd = unanswered(job).some(({ type }) => endsWait.includes(type));
  if (status === 'paused' && stage && !isToEnd) {
    const answer = job.answers.find(
      ({ requestType, outcome }) => requestType === 'PauseRequested' && outcome === 'applied',
    );
    return [
      found('USER:PAUSED', 'info', `Paused${answer?.reason ? `: ${answer.reason}` : ''}.`, {
        since: stage.at,
        evidence: [
          evidence('ledger', 'DeletionPaused', {
            observed: `event ${stage.sequence}`,
            expected: 'no pause',
            at: stage.at,
          }),
        ],
        nextActions: ['Resume the job.'],
      }),
    ];
  }
  if (status === 'awaiting_confirmation' && stage && !isToEnd) {
    return [
      found('USER:AWAITING_CONFIRMATION', 'info', `Waits for somebody to confirm it${howMany(job.confirmation)}.`, {
        since: stage.at,
        evidence: [
          evidence('ledger', 'ConfirmationAwaited', {
            observed: `event ${stage.sequence}`,
            expected: 'a confirmation',
            at: stage.at,
          }),
        ],
        nextActions: ['Confirm the job, or cancel it.'],
      }),
    ];
  }
  if (stage?.name !== 'running') return [];
  const delays = delayed(job, now);
  return delays.length > 0 ? delays : [...limited(question, circumstances), ...ofSharedLimit(circumstances)];
}

const howMany = (asked: JobInQuestion['job']['confirmation']): string =>
  asked
    ? `: ${asked.totalIsEstimate ? 'at least ' : ''}${asked.total} records match, more than ${asked.limit} go unasked`
    : '';

function delayed({ delay, progressedAt }: JobInQuestion['job'], now: Date): Found[] {
  if (!delay || delay.sequence < progressedAt) return [];
  const { cause, error, attempt, retryAt } = delay;
  // A little later it is overdue, and something else keeps it. Of a backlog the first wait alone is told.
  const isOverdue = now.getTime() > Date.parse(retryAt) + QUIET_AFTER_MS;
  if (isOverdue && cause !== 'purge-backlog') return [];
  const told = evidence('ledger', 'BatchDelayed', {
    observed: `attempt ${attempt} of ${delay.instance}: ${error.code}: ${error.message}`,
    expected: 'no delay',
    at: now.toISOString(),
  });
  if (cause === 'purge-backlog') {
    return [
      found('THROTTLE:PURGE_BACKLOG', 'info', 'Waits until fewer objects wait to be purged.', {
        evidence: [told],
        nextActions: ['Wait, or run more of the storage-cleaner, or raise MAX_PENDING_OBJECTS.'],
      }),
    ];
  }
  const summary =
    cause === 'still-changing'
      ? `Records keep changing while they are deleted; tries again at ${retryAt}.`
      : `Attempt ${attempt} failed (${error.code}: ${error.message}); tries again at ${retryAt}.`;
  return [
    found('THROTTLE:BACKOFF', 'warning', summary, {
      evidence: [told],
      nextActions: [cause === 'still-changing' ? 'Wait until they are left alone.' : 'Mend what the error names.'],
    }),
  ];
}

/**
 * The job's own limit, while it moves as often as that lets it; null: none, or that is not what it waits for. A batch has
 * at most half a second's worth of records, or one.
 */
export function ownLimitInForce({ job, movedAt }: JobInQuestion, circumstances: Circumstances): number | null {
  const { rate, request } = job;
  const limit = rate ? rate.maxRecordsPerSecond : (request?.options.maxRecordsPerSecond ?? null);
  const ofAll = sharedLimitInForce(circumstances)?.limit.maxRecordsPerSecond ?? Infinity;
  if (limit === null || limit >= ofAll) return null;
  const pauseMs = Math.max(500, 1000 / limit);
  return circumstances.now.getTime() - movedAt.records.getTime() > pauseMs + QUIET_AFTER_MS ? null : limit;
}

function limited(question: JobInQuestion, circumstances: Circumstances): Found[] {
  const limit = ownLimitInForce(question, circumstances);
  if (limit === null) return [];
  return [
    found('THROTTLE:RATE', 'info', `Runs at its limit of ${limit} records a second.`, {
      evidence: [
        evidence('ledger', 'limit of the job', {
          observed: `${limit} records a second`,
          expected: 'no limit',
          at: circumstances.now.toISOString(),
        }),
      ],
      nextActions: ['Raise max_records_per_second if it is to go faster.'],
    }),
  ];
}
