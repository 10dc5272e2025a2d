import { WorkerHeartbeat } from '@expunge/contracts';
import type { Identity } from './identity.js';

export type HeartbeatState = WorkerHeartbeat['data']['state'];

/** What changes from one heartbeat to the next; who it comes from is an identity. */
export type HeartbeatSnapshot = Pick<
  WorkerHeartbeat['data'],
  | 'ready'
  | 'consumes'
  | 'doing'
  | 'lastError'
  | 'sequences'
  | 'missingIndexes'
  | 'problems'
  | 'inHand'
  | 'untouchedMs'
  | 'sharedLimit'
>;

export interface Beat {
  /** What tells it from the others of this process. */
  number: number | 'last-words';
  state: HeartbeatState;
  snapshot: HeartbeatSnapshot;
  exit?: WorkerHeartbeat['data']['exit'];
}

export function heartbeatOf(identity: Identity, { number, state, snapshot, exit }: Beat, now: Date): WorkerHeartbeat {
  const { service, instance, host, version, startedAt } = identity;
  const who = { service, instance, host, pid: process.pid, version, startedAt: startedAt.toISOString() };
  return WorkerHeartbeat.create({
    id: `${instance}:heartbeat:${startedAt.getTime()}:${number}`,
    source: `/${service}/${instance}`,
    subject: instance,
    time: now.toISOString(),
    data: {
      ...who,
      state,
      ...snapshot,
      ...(exit ? { exit } : {}),
      ...(number === 'last-words' ? {} : { number }),
    },
  });
}

export const HEARTBEAT_KEY = WorkerHeartbeat.routingKey ?? '';
