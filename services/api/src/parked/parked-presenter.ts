import type { ParkedList, ParkedMessage, Replayed } from '@expunge/messaging';
import type { PresentedParkedMessage, PresentedParkedQueue, PresentedReplay } from './parked-answers.js';

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

export function presentReplay(queue: string, { replayed, remaining }: Replayed): PresentedReplay {
  return { queue, replayed, remaining };
}
