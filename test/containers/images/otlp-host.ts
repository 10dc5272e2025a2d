import { createServer } from 'node:http';
import { MockOtlpServer, type NormalizedSpan, normalizeTrace } from '@elastic/mockotlpserver';

/** The spans of each trace as Jaeger's page reads them from `/api/traces/<trace id>`, as far as that says who did what. */
const traces = new Map<string, (NormalizedSpan & { service: string })[]>();

await new MockOtlpServer({
  logLevel: 'error',
  services: ['http'],
  httpHostname: '0.0.0.0',
  httpPort: 4318,
  onTrace: (request) => {
    for (const { resource, scopeSpans } of normalizeTrace(request).resourceSpans) {
      const service = String(resource.attributes['service.name']);
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
        traces.set(span.traceId, [...(traces.get(span.traceId) ?? []), { ...span, service }]);
      }
    }
  },
}).start();

createServer((request, response) => {
  const [, traceID = ''] = /^\/api\/traces\/(\w+)$/.exec(request.url ?? '') ?? [];
  const found = traces.get(traceID);
  const spans = found?.map(({ name, spanId, service }) => ({
    traceID,
    spanID: spanId,
    operationName: name,
    processID: service,
  }));
  const processes = Object.fromEntries((found ?? []).map(({ service }) => [service, { serviceName: service }]));
  response.writeHead(spans ? 200 : 404, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ data: spans ? [{ traceID, spans, processes }] : [] }));
}).listen(16_686, '0.0.0.0');

process.on('SIGTERM', () => process.exit(0));
