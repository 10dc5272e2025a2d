import { hasGap } from '../projection/status.js';
import { type Circumstances, type JobInQuestion, QUIET_AFTER_MS, seconds, SILENT_AFTER_MS } from './circumstances.js';
import { evidence, found, type Found } from './finding.js';

/** Whether what is shown of the job is what happened. */
export function ofFreshness({ job, movedAt }: JobInQuestion, circumstances: Circumstances): Found[] {
  const { asOf, unfoldable, now, lagOfOthersMs: lagMs } = circumstances;
  const at = now.toISOString();
  const all: Found[] = [];
  const { monitorHeartbeatAgeMs: age } = asOf;
  if (age === null || age > SILENT_AFTER_MS) {
    const observed = age === null ? 'never' : `${seconds(age)} ago`;
    all.push(
      found('MONITOR:STALE', 'warning', `No monitor folds events: the last sign of one was ${observed}.`, {
        since: age === null ? null : new Date(now.getTime() - age).toISOString(),
        evidence: [evidence('monitor', 'mark of the folding instance', { observed, expected: 'at most 8 s ago', at })],
        nextActions: ['Start a monitor, or look into the log of the one that runs.'],
      }),
    );
  } else if (lagMs !== null && lagMs > SILENT_AFTER_MS) {
    const observed = `${seconds(lagMs)} behind`;
    all.push(
      found('MONITOR:STALE', 'warning', `The monitor is ${observed}: what is shown may be older than what happened.`, {
        since: new Date(now.getTime() - lagMs).toISOString(),
        evidence: [evidence('monitor', 'lag of the fold', { observed, expected: 'at most 8 s', at })],
        nextActions: ['Wait for it to catch up; if it does not, look into its log.'],
      }),
    );
  }
  const stuck = unfoldable.get(job.id);
  if (stuck) {
    all.push(
      found(
        'MONITOR:PROJECTION_FAILED',
        'warning',
        `Event ${stuck.event} of this job cannot be folded: ${stuck.message}.`,
        {
          since: stuck.since,
          evidence: [
            evidence('monitor', `fold of ${stuck.event}`, {
              observed: stuck.message,
              expected: 'no error',
              at: stuck.since,
            }),
          ],
          nextActions: ['Run "npm run rebuild", which folds the ledger anew; keep the log for a report.'],
        },
      ),
    );
  }
  const quietMs = now.getTime() - movedAt.records.getTime();
  if (hasGap(job) && quietMs >= QUIET_AFTER_MS) {
    const last = job.heard.at(-1)?.[1] ?? 0;
    const summary = `Of this job's events ${job.sequence + 1} is missing, though ${last} was heard; it is asked for.`;
    all.push(
      found('MONITOR:LEDGER_GAP', 'warning', summary, {
        since: movedAt.records.toISOString(),
        evidence: [
          evidence('ledger', 'sequence of the job', {
            observed: `complete to ${job.sequence}, heard up to ${last}`,
            expected: `complete to ${last}`,
            at,
          }),
        ],
        nextActions: ['Start a deleter: it has the events, and publishes them again.'],
      }),
    );
  }
  return all;
}
