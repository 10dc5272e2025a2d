import { MAINTENANCE_EXCHANGE, MESSAGE_CONTENT_TYPE, WorkerHeartbeat } from '@expunge/contracts';
import type { Channel } from 'amqplib';
import type { Identity } from './identity.js';

export type HeartbeatState = WorkerHeartbeat['data']['state'];

/** What changes from one heartbeat to the next; who it comes from is an identity. */
export type HeartbeatSnapshot = Pick<
  WorkerHeartbeat['data'],
  'ready' | 'consumes' | 'doing' | 'lastError' | 'sequences' | 'missingIndexes' | 'problems' | 'inHand'
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
    data: { ...who, state, ...snapshot, ...(exit ? { exit } : {}) },
  });
}

/**
 * Neither mandatory nor persistent: with no monitor up there is nobody to hear it, which is no error.
 * @returns false when the channel is full
 */
export function publishHeartbeat(channel: Channel, message: WorkerHeartbeat): boolean {
  return channel.publish(MAINTENANCE_EXCHANGE, ROUTING_KEY, Buffer.from(JSON.stringify(message)), {
    messageId: message.id,
    type: message.type,
    correlationId: message.subject,
    timestamp: Math.floor(Date.parse(message.time) / 1000),
    contentType: MESSAGE_CONTENT_TYPE,
  });
}

const ROUTING_KEY = WorkerHeartbeat.routingKey ?? '';
