import { z } from 'zod';

/** RFC 3339 in UTC, as `Date.prototype.toISOString` writes it. */
export const Timestamp = z.iso.datetime();

export const MESSAGE_CONTENT_TYPE = 'application/cloudevents+json';

/**
 * Every message: a CloudEvents 1.0 document in structured JSON mode.
 * `subject` is the job's id; a message that speaks of no job says what it is instead.
 * `sequence` numbers the deleter's own events of a job from 1 without gaps.
 * `id` is derived from what the message says, never random, wherever the message can be sent twice.
 */
export interface Message<Type extends string = string, Data = unknown> {
  specversion: '1.0';
  id: string;
  source: string;
  type: Type;
  subject: string;
  time: string;
  datacontenttype: 'application/json';
  dataschema: string;
  data: Data;
  sequence?: number | undefined;
  tenantid?: string | undefined;
  traceparent?: string | undefined;
}

/** The envelope alone, for whoever keeps or parks a message whose data it cannot read. */
export const Envelope = z.looseObject({
  specversion: z.literal('1.0'),
  id: z.string().min(1),
  source: z.string().min(1),
  type: z.string().min(1),
  subject: z.string().min(1),
  time: Timestamp,
  datacontenttype: z.literal('application/json'),
  dataschema: z.string().min(1),
  data: z.unknown(),
  sequence: z.int().positive().optional(),
  tenantid: z.string().min(1).optional(),
  traceparent: z.string().optional(),
});

export interface MessageDefinition<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly version: number;
  /** Null: published to its queue directly, not through the exchange. */
  readonly routingKey: string | null;
  readonly dataschema: string;
  readonly schema: z.ZodType<Message<Type, Data>>;
  /**
   * Fills in what follows from the definition. The data is taken as typed; `schema` is for what arrives.
   * Members stand in the order of `Envelope`, as they do in a parsed message: what is read and sent again is the same bytes.
   */
  create(fields: MessageFields<Data>): Message<Type, Data>;
}

export type MessageFields<Data> = Pick<
  Message<string, Data>,
  'id' | 'source' | 'subject' | 'time' | 'data' | 'sequence' | 'tenantid' | 'traceparent'
>;

/** The message type a definition describes: `MessageOf<typeof BatchDeleted>`. */
export type MessageOf<Definition> =
  Definition extends MessageDefinition<infer Type, infer Data> ? Message<Type, Data> : never;

export function defineMessage<Type extends string, Data>(definition: {
  type: Type;
  version?: number;
  routingKey: string | null;
  data: z.ZodType<Data>;
}): MessageDefinition<Type, Data> {
  const { type, routingKey, data, version = 1 } = definition;
  const dataschema = `urn:expunge:${type}:${String(version)}`;
  const schema = Envelope.extend({ type: z.literal(type), dataschema: z.literal(dataschema), data });
  return {
    type,
    version,
    routingKey,
    dataschema,
    schema,
    create: ({ id, source, subject, time, data, sequence, tenantid, traceparent }) => ({
      specversion: '1.0',
      id,
      source,
      type,
      subject,
      time,
      datacontenttype: 'application/json',
      dataschema,
      data,
      // Left out rather than undefined: a database would store that as null, which no reader takes.
      ...(sequence === undefined ? {} : { sequence }),
      ...(tenantid === undefined ? {} : { tenantid }),
      ...(traceparent === undefined ? {} : { traceparent }),
    }),
  };
}
