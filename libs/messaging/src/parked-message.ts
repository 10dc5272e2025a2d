import { Envelope } from '@expunge/contracts';
import type { GetMessage } from 'amqplib';
import { attemptsOf, headerNames } from './attempt-headers.js';
import { shortened } from './settlement.js';

/** What is told of a message that was given up on; of its body no more than who and what it is about. */
export interface ParkedMessage {
  messageId: string | null;
  type: string | null;
  /** The message's subject: a job's id, or what it is about instead. */
  job: string | null;
  tenant: string | null;
  reason: string;
  /** RFC 3339. */
  parkedAt: string | null;
  /** Where it was first given up on, or left to wait; a tier's name for a message that waited there. */
  firstDeathQueue: string | null;
  attempt: number;
  bytes: number;
}

/** A larger body is not looked into: a look at a hundred of them would hold up everything else. */
const LARGEST_READ = 1024 * 1024;
/** As long as AMQP lets the same be said in properties. */
const LONGEST = 255;

/**
 * Who parked it says why in headers of ours; what the broker dead-lettered (its consumer died on it too often, or no
 * copy could be made) has only the broker's own. What the envelope says goes before what the properties say.
 */
export function describeParked({ content, properties }: Pick<GetMessage, 'content' | 'properties'>): ParkedMessage {
  const headers: Record<string, unknown> = properties.headers ?? {};
  const envelope = envelopeOf(content);
  const death = lastDeathOf(headers);
  const reason = textOf(headers[headerNames.parkedReason], 1000);
  const parkedAt = textOf(headers[headerNames.parkedAt]);
  return {
    messageId: textOf(envelope?.id ?? properties.messageId),
    type: textOf(envelope?.type ?? properties.type),
    job: textOf(envelope?.subject ?? properties.correlationId),
    tenant: textOf(envelope?.tenantid),
    reason: reason ?? (death === null ? 'unknown' : `dead-lettered by the broker: ${death.reason}`),
    parkedAt: reason === null ? (death?.at ?? null) : parkedAt,
    firstDeathQueue: textOf(headers['x-first-death-queue'] ?? headers[headerNames.parkedFrom]),
    attempt: attemptsOf(headers, 0).attempt,
    bytes: content.length,
  };
}

/** The headers that say the same of a copy, which has lost those of the broker. */
export function parkedHeaders({ reason, parkedAt, firstDeathQueue, attempt }: ParkedMessage): Record<string, unknown> {
  return {
    [headerNames.parkedReason]: reason,
    ...(parkedAt === null ? {} : { [headerNames.parkedAt]: parkedAt }),
    ...(firstDeathQueue === null ? {} : { [headerNames.parkedFrom]: firstDeathQueue }),
    [headerNames.attempt]: attempt,
  };
}

/** How often the broker has delivered it from this queue before, as far as that counts against it. */
export function deliveriesOf({ properties }: Pick<GetMessage, 'properties'>): number {
  const count: unknown = properties.headers?.['x-delivery-count'];
  return typeof count === 'number' ? count : 0;
}

function envelopeOf(content: Buffer): Envelope | undefined {
  if (content.length > LARGEST_READ) return undefined;
  try {
    return Envelope.safeParse(JSON.parse(content.toString())).data;
  } catch {
    return undefined;
  }
}
type Envelope = ReturnType<typeof Envelope.parse>;

/** The first of the list is the latest. */
function lastDeathOf(headers: Record<string, unknown>): { reason: string; at: string | null } | null {
  const deaths: unknown = headers['x-death'];
  const [last] = (Array.isArray(deaths) ? deaths : []) as { reason?: unknown; time?: { value?: unknown } }[];
  const reason = textOf(last?.reason);
  if (reason === null) return null;
  const seconds = last?.time?.value;
  return { reason, at: typeof seconds === 'number' ? new Date(seconds * 1000).toISOString() : null };
}

function textOf(value: unknown, longest = LONGEST): string | null {
  return typeof value === 'string' && value !== '' ? shortened(value, longest) : null;
}
