import type { MessageProperties, Options } from 'amqplib';
import { headerNames } from './attempt-headers.js';

/**
 * As JSON. amqplib encodes headers into 64 kB, where a number may take twice what it does here; what somebody stuffed
 * further is left behind.
 */
const MOST_HEADER_BYTES = 8 * 1024;

/** In place of headers that cannot be copied. */
const headersDropped = { 'x-headers-dropped': true };

/** Written by the broker; on a message published again they would count the copy as the dead letter of another. */
const brokersOwn = new Set([
  'x-death',
  'x-delivery-count',
  'x-acquired-count',
  'x-first-death-exchange',
  'x-first-death-queue',
  'x-first-death-reason',
  'x-last-death-exchange',
  'x-last-death-queue',
  'x-last-death-reason',
]);

/**
 * Written anew for each copy, or not: a parked message that is put back begins with its attempts from the front, and
 * carries no reason for which it was once parked.
 */
const ours = new Set<string>(Object.values(headerNames).filter((name) => name !== headerNames.replay));

/**
 * The properties of a copy: those of the message, except what would change where the copy goes or how long it lives.
 * `expiration` would end a parked message, `userId` is checked against our own, `CC` and `BCC` route it elsewhere too.
 */
export function copiedProperties(original: MessageProperties, headers: Record<string, unknown>): Options.Publish {
  const optional = {
    contentType: text(original.contentType),
    contentEncoding: text(original.contentEncoding),
    correlationId: text(original.correlationId),
    replyTo: text(original.replyTo),
    messageId: text(original.messageId),
    type: text(original.type),
    appId: text(original.appId),
    timestamp: number(original.timestamp),
    priority: number(original.priority),
  };
  const present = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
  return { ...present, persistent: true, mandatory: true, headers: { ...kept(original), ...headers } };
}

/** For a message among whose headers is something that cannot be written again. */
export function propertiesWithoutHeaders(
  original: MessageProperties,
  headers: Record<string, unknown>,
): Options.Publish {
  return copiedProperties({ ...original, headers: {} }, { ...headersDropped, ...headers });
}

function kept(original: MessageProperties): Record<string, unknown> {
  const headers: Record<string, unknown> = {};
  for (const [name, value] of Object.entries<unknown>(original.headers ?? {})) {
    if (brokersOwn.has(name) || ours.has(name)) continue;
    headers[name === 'CC' || name === 'BCC' ? `x-original-${name.toLowerCase()}` : name] = value;
  }
  if (original.userId !== undefined) headers['x-original-user-id'] = text(original.userId);
  if (original.expiration !== undefined) headers['x-original-expiration'] = text(original.expiration);
  return sizeOf(headers) <= MOST_HEADER_BYTES ? headers : headersDropped;
}

function sizeOf(headers: Record<string, unknown>): number {
  try {
    return Buffer.byteLength(JSON.stringify(headers));
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
