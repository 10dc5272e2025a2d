import type { JobProjection } from './job.js';
import type { LedgerMessage, Recorded } from './recorded.js';

/** When a monitor last heard of progress, by its own clock. */
export interface MovedAt {
  records: Date;
  objects: Date;
}

/** Given what was heard just now; objects that begin to wait have not stood until then. */
export function movedBy(
  events: readonly Recorded[],
  before: { job: JobProjection; movedAt: MovedAt } | null,
  now: Date,
): MovedAt {
  if (before === null) return { records: now, objects: now };
  const { job, movedAt } = before;
  const heard = (isProgress: (message: LedgerMessage) => boolean) => events.some(({ message }) => isProgress(message));
  return {
    records: heard(movesRecords) ? now : movedAt.records,
    objects: heard(movesObjects) || pendingObjects(job) === 0 ? now : movedAt.objects,
  };
}

/** Handed over, and neither purged, kept nor given up. */
export function pendingObjects({ totals, objects }: JobProjection): number {
  return Math.max(0, (totals?.objects ?? 0) - objects.purged - objects.failed - objects.kept);
}

/** Whatever a deleter numbers, but for the word that it waits. */
function movesRecords({ type, sequence }: LedgerMessage): boolean {
  return type === 'RequestRefused' || (sequence !== undefined && type !== 'BatchDelayed');
}

function movesObjects({ type }: LedgerMessage): boolean {
  return ['ObjectsPurged', 'ObjectPurgeFailed', 'ObjectsChecked', 'PurgesRetried'].includes(type);
}
