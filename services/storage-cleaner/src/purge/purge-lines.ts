import { type ObjectPurgeDelayed, type ObjectPurgeFailed, type ObjectsPurged, positions } from '@expunge/contracts';
import type { ReportStep } from './purge-report.js';
import type { PurgeWork } from './purge-work.js';

export interface PurgeLine {
  level: 'info' | 'warn';
  text: string;
  fields: Record<string, unknown>;
  /** What the heartbeat says went wrong last. */
  refusal?: { code: string; message: string };
}

type Told = ObjectsPurged | ObjectPurgeDelayed | ObjectPurgeFailed;

/** The log of one attempt: the counts, then a line for each cause. Of the keys it shows the first that failed, and no other. */
export function purgeLinesOf(work: PurgeWork, report: readonly ReportStep[]): PurgeLine[] {
  const told = report.flatMap((step) => (step.to === 'exchange' ? [step.message as Told] : []));
  const countOf = (type: Told['type']) =>
    told.reduce((sum, message) => sum + (message.type === type ? positions.count(message.data.positions) : 0), 0);
  const [deleted, failed, waiting] = [
    countOf('ObjectsPurged'),
    countOf('ObjectPurgeFailed'),
    countOf('ObjectPurgeDelayed'),
  ];
  const counts: PurgeLine = {
    level: failed > 0 ? 'warn' : 'info',
    text: `${deleted} deleted, ${failed} failed${waiting > 0 ? `, ${waiting} to be tried again` : ''}`,
    fields: { deleted, failed, waiting },
  };
  return [counts, ...told.flatMap((message) => causeOf(work, message))];
}

function causeOf(work: PurgeWork, message: Told): PurgeLine[] {
  if (message.type === 'ObjectsPurged') return [];
  const { code, message: reason, positions: at } = message.data;
  const fields = { code, reason, objects: positions.count(at) };
  const refusal = { code, message: reason };
  if (message.type === 'ObjectPurgeDelayed') {
    const { retryAt } = message.data;
    return [
      {
        level: 'warn',
        text: `${fields.objects} wait until ${retryAt}: ${code}`,
        fields: { ...fields, retryAt },
        refusal,
      },
    ];
  }
  const first = work.targets.find(({ position }) => position === at[0]?.[0]);
  return [
    {
      level: 'warn',
      text: `${fields.objects} cannot be deleted: ${code}`,
      fields: { ...fields, firstKey: first?.key },
      refusal,
    },
  ];
}
