import type { IncomingMessage } from 'node:http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import type { Instrumentation } from '@opentelemetry/instrumentation';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import type { Resource } from '@opentelemetry/resources';
import type { IMetricReader } from '@opentelemetry/sdk-metrics';
import { NodeSDK } from '@opentelemetry/sdk-node';

export interface TraceOptions {
  resource: Resource;
  metricReader: IMetricReader;
  instrumentations: Instrumentation[];
}

/** Asked for every few seconds, by machines. */
const isUntold = ({ url = '' }: IncomingMessage): boolean => /^\/(health|metrics)\b/.test(url);

/** @returns what exports the spans that are left, and ends */
export function startTraces({ resource, metricReader, instrumentations }: TraceOptions): () => Promise<void> {
  const sdk = new NodeSDK({
    resource,
    autoDetectResources: false,
    metricReaders: [metricReader],
    traceExporter: new OTLPTraceExporter(),
    logRecordProcessors: [],
    instrumentations: [
      ...instrumentations,
      // Calls of the bucket have keys in their paths; `purge` spans tell of them.
      new HttpInstrumentation({ ignoreIncomingRequestHook: isUntold, disableOutgoingRequestInstrumentation: true }),
      // The monitor looks at the broker's management API every other second: no traces of that alone.
      new UndiciInstrumentation({ requireParentforSpans: true }),
    ],
  });
  sdk.start();
  return () => sdk.shutdown();
}
