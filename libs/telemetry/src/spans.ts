import {
  type Attributes,
  type Context,
  context,
  type Link,
  propagation,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { getRPCMetadata, RPCType } from '@opentelemetry/core';
import { attribute } from './names.js';

const SCOPE = 'expunge';

/** Of the request under way, such as `/api/jobs/:id`: part of its span's name, and of its metrics. */
export function tellRoute(route: string): void {
  const metadata = getRPCMetadata(context.active());
  if (metadata?.type === RPCType.HTTP) metadata.route = route;
}

export interface SpanOptions {
  attributes?: Attributes;
  kind?: SpanKind;
  /** The W3C `traceparent` it continues; null: a trace of its own. Left out: whatever is under way. */
  parent?: string | null;
  /** `traceparent`s of what it comes from without being part of it. */
  links?: readonly string[];
}

/** Runs with a span around it, which ends with it and tells of its error. Without an SDK it costs next to nothing. */
export function inSpan<T>(name: string, options: SpanOptions, run: (span: Span) => Promise<T>): Promise<T> {
  const { attributes, kind = SpanKind.INTERNAL, parent, links = [] } = options;
  const within =
    parent === undefined ? context.active() : parent === null ? trace.deleteSpan(context.active()) : contextOf(parent);
  const spanOptions = { kind, ...(attributes && { attributes }), links: links.flatMap(linkTo) };
  return trace.getTracer(SCOPE).startActiveSpan(name, spanOptions, within, async (span) => {
    try {
      return await run(span);
    } catch (error) {
      failed(span, error);
      throw error;
    } finally {
      span.end();
    }
  });
}

/** Marks the span as failed. Of an error its name and code are told, never its message: it may quote a record. */
export function failed(span: Span, error: unknown): void {
  const type = errorTypeOf(error);
  span.setAttribute(attribute.errorType, type);
  span.setStatus({ code: SpanStatusCode.ERROR, message: type });
}

export function errorTypeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : error.name;
}

/** Of what is under way, to be carried to whoever goes on with it; undefined where nothing is traced. */
export function currentTraceparent(): string | undefined {
  const carrier: { traceparent?: string } = {};
  propagation.inject(context.active(), carrier);
  return carrier.traceparent;
}

/** The message, going on with what is under way. */
export function withCurrentTrace<M extends { traceparent?: string | undefined }>(message: M): M {
  const traceparent = currentTraceparent();
  return traceparent === undefined ? message : { ...message, traceparent };
}

/** Whether something is under way that is traced. */
export const isWithinSpan = (): boolean => trace.getActiveSpan() !== undefined;

/** Ids of the span under way, for log lines. */
export function traceIds(): { trace_id: string; span_id: string } | undefined {
  const spanContext = trace.getActiveSpan()?.spanContext();
  return spanContext && { trace_id: spanContext.traceId, span_id: spanContext.spanId };
}

/** Tells of the span under way that it comes from another trace, too. */
export function linkCurrentTo(traceparent: string | null): void {
  const span = trace.getActiveSpan();
  if (!span || traceparent === null) return;
  const isWithin = ({ context: { traceId } }: Link) => traceId === span.spanContext().traceId;
  for (const link of linkTo(traceparent)) if (!isWithin(link)) span.addLink(link);
}

function linkTo(traceparent: string): Link[] {
  const spanContext = spanContextOf(traceparent);
  return spanContext ? [{ context: spanContext }] : [];
}

const contextOf = (traceparent: string): Context =>
  propagation.extract(trace.deleteSpan(context.active()), { traceparent });
const spanContextOf = (traceparent: string): SpanContext | undefined => trace.getSpanContext(contextOf(traceparent));
