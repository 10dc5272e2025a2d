import { z } from 'zod';
import { defineMessage } from './envelope.js';

const Consumer = z.object({
  queue: z.string(),
  consumerTag: z.string(),
  service: z.string().nullable(),
  instance: z.string().nullable(),
  host: z.string().nullable(),
  version: z.string().nullable(),
});

export const ConsumerAttached = defineMessage({
  type: 'ConsumerAttached',
  routingKey: 'topology.consumer-attached',
  data: Consumer,
});
export const ConsumerDetached = defineMessage({
  type: 'ConsumerDetached',
  routingKey: 'topology.consumer-detached',
  data: Consumer,
});
export const BindingChanged = defineMessage({
  type: 'BindingChanged',
  routingKey: 'topology.binding-changed',
  data: z.object({ exchange: z.string(), queue: z.string(), bindingKey: z.string(), present: z.boolean() }),
});
