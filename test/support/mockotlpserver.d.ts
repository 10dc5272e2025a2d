declare module '@elastic/mockotlpserver' {
  export class MockOtlpServer {
    constructor(options: {
      logLevel?: 'fatal' | 'error';
      services: ('http' | 'grpc' | 'ui')[];
      httpHostname: string;
      httpPort: number;
      onTrace(request: unknown): void;
    });
    readonly httpUrl: URL | string;
    start(): Promise<void>;
    close(): Promise<void>;
  }
  export interface NormalizedSpan {
    traceId: string;
    spanId: string;
    parentSpanId?: string;
    name: string;
    kind: string;
    attributes: Record<string, unknown>;
    links?: { traceId: string; spanId: string }[];
    status: { code?: string };
  }
  export function normalizeTrace(request: unknown): {
    resourceSpans: { resource: { attributes: Record<string, unknown> }; scopeSpans: { spans: NormalizedSpan[] }[] }[];
  };
}
