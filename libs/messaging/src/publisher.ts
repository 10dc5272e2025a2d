import type { Message, RetryTier } from '@expunge/contracts';

/**
 * Resolves when the broker has confirmed the message, that is: written by a majority of its queue's replicas.
 *
 * At most 256 messages (or 32 MB) are on their way at once; the next ones wait their turn, at most 10 s.
 *
 * @throws BrokerUnavailableError no connection within 2 s, an alarm at the broker, or no turn: nobody has it
 * @throws UnroutableError nothing is bound for it: nobody has it
 * @throws NotConfirmedError the broker refused it: nobody has it
 * @throws OutcomeUnknownError the channel died, or no answer came in time: publish again with the same message id
 * @throws ValidationError no such type, no routing key, or more than 8 MB
 */
export interface Publisher {
  /** To the maintenance exchange, by the routing key of the message's definition. */
  publish(message: Message): Promise<void>;
  /** To one queue; with `tier`, to its retry queue, so that it arrives that many seconds later. */
  send(queue: string, message: Message, options?: { attempt?: number; tier?: RetryTier }): Promise<void>;
}

/** The injection token of the process's one publisher. */
export const PUBLISHER = Symbol('Publisher');
