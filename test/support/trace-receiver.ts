import { MockOtlpServer, type NormalizedSpan, normalizeTrace } from '@elastic/mockotlpserver';

export interface ReceivedSpan extends NormalizedSpan {
  service: string;
}

/** Takes spans over OTLP, as Jaeger does. */
export class TraceReceiver {
  readonly spans: ReceivedSpan[] = [];
  private readonly server = new MockOtlpServer({
    logLevel: 'error',
    services: ['http'],
    httpHostname: '127.0.0.1',
    httpPort: 0,
    onTrace: (request) => this.take(request),
  });

  static async start(): Promise<TraceReceiver> {
    const receiver = new TraceReceiver();
    await receiver.server.start();
    return receiver;
  }

  get url(): string {
    return String(this.server.httpUrl).replace(/\/$/, '');
  }

  stop(): Promise<void> {
    return this.server.close();
  }

  ofJob(job: string): ReceivedSpan[] {
    return this.spans.filter(({ attributes }) => attributes['job.id'] === job);
  }

  inTrace(traceId: string): ReceivedSpan[] {
    return this.spans.filter((span) => span.traceId === traceId);
  }

  private take(request: unknown): void {
    for (const { resource, scopeSpans } of normalizeTrace(request).resourceSpans) {
      const service = String(resource.attributes['service.name']);
      for (const { spans } of scopeSpans) this.spans.push(...spans.map((span) => ({ ...span, service })));
    }
  }
}

/** The span, and what was done within it, a line each, indented by depth; siblings in the order of their words. */
export function treeOf(root: ReceivedSpan, spans: readonly ReceivedSpan[], depth = 0): string[] {
  const line = `${'  '.repeat(depth)}${root.service}: ${root.name}`;
  const children = spans
    .filter(({ parentSpanId }) => parentSpanId === root.spanId)
    .map((child) => treeOf(child, spans, depth + 1))
    .toSorted((a, b) => a.join('\n').localeCompare(b.join('\n')));
  return [line, ...children.flat()];
}

export const isRoot = ({ parentSpanId }: ReceivedSpan): boolean => !parentSpanId;

/** Of each span, what it was done within, from the root on: `api: POST > api: publish`. */
export function ancestriesOf(spans: readonly ReceivedSpan[]): string[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const ancestryOf = (span: ReceivedSpan): string[] => {
    const parent = byId.get(span.parentSpanId ?? '');
    return [...(parent ? ancestryOf(parent) : []), `${span.service}: ${span.name}`];
  };
  return spans.map((span) => ancestryOf(span).join(' > '));
}
