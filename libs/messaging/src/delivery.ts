import type { AnyMessage } from '@expunge/contracts';

/** What a handler knows of the delivery besides the message (Nest's `@Ctx()`). */
export interface Delivery {
  queue: string;
  /** 1 for the first time; a retry tier adds one, a redelivery does not. */
  attempt: number;
  redelivered: boolean;
}

/** A handler may run twice for one message, and at the same time as another. It returns or throws; it settles nothing. */
export type MessageHandler = (message: AnyMessage, delivery: Delivery) => Promise<void>;
