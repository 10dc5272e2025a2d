import { z } from 'zod';

/** What is read of the management API's rows, as RabbitMQ 3.10 and 4.x give them. Rows of a queue just made lack numbers. */
const Count = z.number().nonnegative();
const text = z.string().nullish().catch(null);

export const WhoAmI = z.object({
  name: z.string(),
  /** A list since 3.9; a text with commas before. */
  tags: z.union([z.array(z.string()), z.string().transform((tags) => tags.split(',').map((tag) => tag.trim()))]),
});

export const Overview = z.object({ rabbitmq_version: z.string() });

export const Exchanges = z.array(z.object({ name: z.string(), type: z.string() }));

export const Bindings = z.array(
  z.object({
    source: z.string(),
    destination: z.string(),
    destination_type: z.enum(['queue', 'exchange']),
    routing_key: z.string(),
  }),
);

/** With `disable_stats` and `enable_queue_totals`: as the queue itself last counted, up to 4 s before (measured). */
export const QueueTotals = z.array(
  z.object({
    name: z.string(),
    messages_ready: Count.default(0),
    messages_unacknowledged: Count.default(0),
  }),
);

/** Statistics: up to 9 s old (measured), since they are collected from what a queue counted before. */
export const QueueStatistics = z.array(
  z.object({
    name: z.string(),
    consumers: Count.optional(),
    // An empty list of a queue without any, when columns were asked for.
    message_stats: z
      .union([
        z.object({ ack: Count.default(0), redeliver: Count.default(0) }),
        z.array(z.unknown()).transform(() => null),
      ])
      .optional(),
  }),
);

export const Consumers = z.array(
  z.object({
    consumer_tag: z.string(),
    prefetch_count: Count.default(0),
    queue: z.object({ name: z.string() }),
    // An empty list while the channel's row is not there yet.
    channel_details: z.union([z.object({ connection_name: z.string().optional() }), z.array(z.unknown())]).optional(),
  }),
);

export const Connections = z.array(
  z.object({
    name: z.string(),
    user_provided_name: text,
    connected_at: z.number().nullish().catch(null),
    client_properties: z.object({ connection_name: text, host: text, version: text }).nullish().catch(null),
  }),
);

export const Nodes = z.array(
  z.object({
    name: z.string(),
    running: z.boolean().default(true),
    mem_alarm: z.boolean().default(false),
    disk_free_alarm: z.boolean().default(false),
  }),
);
