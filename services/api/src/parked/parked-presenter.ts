import type { ParkedList, ParkedMessage, Replayed } from '@expunge/messaging';

export interface PresentedParkedQueue {
  queue: string;
  count: number;
  messages: PresentedParkedMessage[];
}

export interface PresentedParkedMessage {
  message_id: string | null;
  type: string | null;
  job: string | null;
  tenant: string | null;
  reason: string;
  parked_at: string | null;
  first_death_queue: string | null;
  attempt: number;
  size: number;
}

export function presentParkedQueue(queue: string, { count, messages }: ParkedList): PresentedParkedQueue {
  return { queue, count, messages: messages.map(presentParkedMessage) };
}

function presentParkedMessage(message: ParkedMessage): PresentedParkedMessage {
  const { messageId, type, job, tenant, reason, parkedAt, firstDeathQueue, attempt, bytes } = message;
  return {
    message_id: messageId,
    type,
    job,
    tenant,
    reason,
    parked_at: parkedAt,
    first_death_queue: firstDeathQueue,
    attempt,
    size: bytes,
  };
}

export interface PresentedReplay {
  queue: string;
  replayed: number;
  remaining: number;
}

export function presentReplay(queue: string, { replayed, remaining }: Replayed): PresentedReplay {
  return { queue, replayed, remaining };
}
