import { setTimeout as delay } from 'node:timers/promises';
import type { Message } from '@expunge/contracts';
import { BrokerUnavailableError, type Publisher, UnroutableError } from '@expunge/messaging';

/** `nobody-has-it`: certain, no queue took it. `unknown`: some queue may have it. */
export type PublishOutcome = 'confirmed' | 'nobody-has-it' | 'unknown';

const PAUSE_MS = 200;

/**
 * Publishes until the outcome is known, at most `withinMs`; the same message id each time, so that twice is harmless.
 * A negative confirm is no certainty: one of two queues may have taken the message, and would have it re-driven.
 */
export async function publishWithin(publisher: Publisher, message: Message, withinMs: number): Promise<PublishOutcome> {
  const giveUpAt = performance.now() + withinMs;
  let mayBeThere = false;
  for (;;) {
    const left = giveUpAt - performance.now();
    const outcome = await Promise.race([attempt(publisher, message), late(left)]);
    if (outcome === 'confirmed') return outcome;
    if (outcome === 'nobody-has-it' && !mayBeThere) return outcome;
    mayBeThere = true;
    if (performance.now() + PAUSE_MS >= giveUpAt) return 'unknown';
    await delay(PAUSE_MS);
  }
}

async function attempt(publisher: Publisher, message: Message): Promise<PublishOutcome> {
  try {
    await publisher.publish(message);
    return 'confirmed';
  } catch (error) {
    return error instanceof UnroutableError || error instanceof BrokerUnavailableError ? 'nobody-has-it' : 'unknown';
  }
}

const late = (ms: number): Promise<PublishOutcome> => delay(Math.max(ms, 0), 'unknown' as const, { ref: false });
