import { z } from 'zod';
import { defineMessage, type MessageOf } from './envelope.js';

/** As the broker lists it. Who it is follows from its tag and connection; null: they do not say, it is none of ours. */
const Consumer = z.object({
  queue: z.string(),
  consumerTag: z.string(),
  service: z.string().nullable(),
  instance: z.string().nullable(),
  host: z.string().nullable(),
  version: z.string().nullable(),
});

/** The roll-call: who listened when. `subject` is the queue. */
export const ConsumerAttached = defineMessage({
  type: 'ConsumerAttached',
  routingKey: 'topology.consumer-attached',
  data: Consumer,
});
export type ConsumerAttached = MessageOf<typeof ConsumerAttached>;

export const ConsumerDetached = defineMessage({
  type: 'ConsumerDetached',
  routingKey: 'topology.consumer-detached',
  data: Consumer,
});
export type ConsumerDetached = MessageOf<typeof ConsumerDetached>;

/** A declared binding went or came back (`present`), or one appeared that nobody declared. `subject` is the queue. */
export const BindingChanged = defineMessage({
  type: 'BindingChanged',
  routingKey: 'topology.binding-changed',
  data: z.object({ exchange: z.string(), queue: z.string(), bindingKey: z.string(), present: z.boolean() }),
});
export type BindingChanged = MessageOf<typeof BindingChanged>;
