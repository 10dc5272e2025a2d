import type { AnyMessage, Message } from '@expunge/contracts';
import {
  attribute,
  isWithinSpan,
  failed,
  inSpan,
  type Span,
  SpanKind,
  type SpanOptions,
  withCurrentTrace,
} from '@expunge/telemetry';
import type { Verdict } from './settlement.js';

/** Told every few moments whatever happens, and of no job's deletion: spans of them would bury the others. */
const untraced = new Set(['WorkerHeartbeat', 'ProjectionChanged', 'FoldProbe']);

/** They come once all is deleted, which may be a day later, and one of them makes thousands: traces of their own. */
const apart = new Set(['VerificationRequested', 'ObjectCheckRequested', 'JobCompleted']);

/** Attempts that still belong to the trace of the message; later ones are linked to it, or it would never end. */
const ATTEMPTS_IN_TRACE = 5;

export const isTraced = ({ type }: Pick<Message, 'type'>): boolean => !untraced.has(type);

/**
 * Whether it is given the trace under way when it is published without one. Not a slice, which goes on for as long as its
 * job; nor a numbered event, which is stored before, and the same at each publish. Those say so themselves.
 */
export const carriesTrace = (message: Pick<Message, 'type' | 'sequence'>): boolean =>
  isTraced(message) && message.type !== 'SliceDue' && message.sequence === undefined;

/** As the conventions name a place in RabbitMQ: what is empty, or said already, is left out. */
const destinationOf = (parts: readonly string[]): string => [...new Set(parts.filter((part) => part !== ''))].join(':');

const ofMessage = (message: Message, routingKey: string) => ({
  [attribute.messaging.system]: 'rabbitmq',
  [attribute.messaging.routingKey]: routingKey,
  [attribute.messaging.messageId]: message.id,
  [attribute.messaging.type]: message.type,
  [attribute.job]: message.subject,
});

/** Around the publishing of a message, which then carries the trace on, unless it carries one already. */
export function inPublishSpan<M extends Message>(
  message: M,
  to: { exchange: string; routingKey: string },
  publish: (message: M) => Promise<void>,
): Promise<void> {
  if (!isTraced(message)) return publish(message);
  const { exchange, routingKey } = to;
  const destination = destinationOf([exchange, routingKey]);
  const attributes = {
    ...ofMessage(message, routingKey),
    [attribute.messaging.operationName]: 'publish',
    [attribute.messaging.operationType]: 'send',
    [attribute.messaging.destination]: destination,
  };
  // What a timer publishes goes on with the trace of the message itself.
  const parent = isWithinSpan() ? {} : originOf(message, 1);
  return inSpan(`publish ${destination}`, { kind: SpanKind.PRODUCER, attributes, ...parent }, () => {
    const carriesOn = message.traceparent === undefined && carriesTrace(message);
    return publish(carriesOn ? withCurrentTrace(message) : message);
  });
}

/** Around the handling of a delivery. */
export function inProcessSpan<T>(
  message: AnyMessage,
  delivery: { queue: string; routingKey: string; exchange: string; attempt: number },
  handle: (span: Span | undefined) => Promise<T>,
): Promise<T> {
  if (!isTraced(message)) return handle(undefined);
  const { queue, routingKey, exchange, attempt } = delivery;
  const destination = destinationOf([exchange, routingKey, queue]);
  const attributes = {
    ...ofMessage(message, routingKey),
    [attribute.messaging.operationName]: 'process',
    [attribute.messaging.operationType]: 'process',
    [attribute.messaging.destination]: destination,
    [attribute.attempt]: attempt,
  };
  return inSpan(
    `process ${destination}`,
    { kind: SpanKind.CONSUMER, attributes, ...originOf(message, attempt) },
    handle,
  );
}

/** What a delivery goes on with, or is linked to. */
export function originOf({ type, traceparent }: Pick<Message, 'type' | 'traceparent'>, attempt: number): SpanOptions {
  if (traceparent === undefined) return { parent: null };
  return attempt <= ATTEMPTS_IN_TRACE && !apart.has(type)
    ? { parent: traceparent }
    : { parent: null, links: [traceparent] };
}

/** What becomes of the delivery: an error is told even where it is tried again, and then when. */
export function tellSettlement(span: Span, verdict: Verdict, error: unknown): void {
  span.setAttribute(attribute.settlement, verdict.settle);
  if (verdict.settle === 'retry') span.setAttribute(attribute.retryDelay, verdict.tier);
  if (verdict.settle === 'retry' || verdict.settle === 'park') failed(span, error);
}
