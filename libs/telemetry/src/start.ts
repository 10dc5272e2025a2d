import type { IncomingMessage, ServerResponse } from 'node:http';
import { diag, DiagLogLevel, metrics } from '@opentelemetry/api';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { RuntimeNodeInstrumentation } from '@opentelemetry/instrumentation-runtime-node';
import {
  detectResources,
  hostDetector,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { MetricsExporter } from './metrics-exporter.js';

export interface TelemetryOptions {
  service: string;
  instance: string;
  version: string;
  env: Readonly<Record<string, string | undefined>>;
}

export interface Telemetry {
  /** Answers with all metrics, in Prometheus' text format. */
  answerMetrics(request: IncomingMessage, response: ServerResponse): void;
  /** Hears, once a minute at most, of spans that could not be exported. */
  onProblem(tell: (problem: string) => void): void;
  /** Exports what is left; never rejects, and takes no longer than that. */
  stop(withinMs: number): Promise<void>;
}

/** Of the event loop's delay: at the default of 10 ms the samples cost more than an idle service does. */
const SAMPLED_EVERY_MS = 50;

/**
 * Before anything that is to be traced is loaded. Metrics are always kept, since they are asked for; spans only where
 * OpenTelemetry's own variables name somebody to send them to, and nothing of their exporter is loaded otherwise.
 */
export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { service, instance, version, env } = options;
  const exporter = new MetricsExporter();
  const attributes = {
    'service.namespace': 'expunge',
    'service.name': env['OTEL_SERVICE_NAME'] ?? service,
    'service.instance.id': instance,
    'service.version': version,
  };
  // Not the process's: its command line would be told to whoever reads traces.
  const resource = resourceFromAttributes(attributes).merge(
    detectResources({ detectors: [hostDetector, resourceAttributesEnvDetector] }),
  );
  const instrumentations = [new RuntimeNodeInstrumentation({ monitoringPrecision: SAMPLED_EVERY_MS })];
  const answerMetrics: Telemetry['answerMetrics'] = (request, response) => {
    exporter.getMetricsRequestHandler(request, response);
  };
  if (!areTracesOn(env)) {
    const provider = new MeterProvider({ resource, readers: [exporter] });
    metrics.setGlobalMeterProvider(provider);
    observeProcess();
    registerInstrumentations({ instrumentations, meterProvider: provider });
    return { answerMetrics, onProblem, stop: () => Promise.resolve() };
  }
  const { startTraces } = await import('./traces.js');
  const shutdown = startTraces({ resource, metricReader: exporter, instrumentations });
  observeProcess();
  return { answerMetrics, onProblem, stop: (withinMs) => quietly(shutdown, withinMs) };
}

const TOLD_EVERY_MS = 60_000;

/** Whoever sets OTEL_LOG_LEVEL is told everything, by the SDK itself. */
function onProblem(tell: (problem: string) => void): void {
  if (process.env['OTEL_LOG_LEVEL'] !== undefined) return;
  let toldAt = -Infinity;
  const error = (problem: string) => {
    if (performance.now() - toldAt < TOLD_EVERY_MS) return;
    toldAt = performance.now();
    tell(messageIn(problem));
  };
  const nothing = () => undefined;
  diag.setLogger({ error, warn: nothing, info: nothing, debug: nothing, verbose: nothing }, DiagLogLevel.ERROR);
}

/** The SDK tells an error as JSON of its properties, stack included. */
function messageIn(problem: string): string {
  const [, message = problem] = /"message":"((?:[^"\\]|\\.)*)"/.exec(problem) ?? [];
  return message.slice(0, 300);
}

function observeProcess(): void {
  const meter = metrics.getMeter('expunge');
  meter
    .createObservableCounter('process.cpu.time', { description: 'Processor time this process has used', unit: 's' })
    .addCallback((result) => {
      const { user, system } = process.cpuUsage();
      result.observe(user / 1e6, { 'cpu.mode': 'user' });
      result.observe(system / 1e6, { 'cpu.mode': 'system' });
    });
  meter
    .createObservableGauge('process.memory.usage', { description: 'Resident memory of this process', unit: 'By' })
    .addCallback((result) => result.observe(process.memoryUsage.rss()));
}

/** By the variables of OpenTelemetry's specification. */
export function areTracesOn(env: TelemetryOptions['env']): boolean {
  const isSet = (name: string) => (env[name] ?? '').trim() !== '';
  if (env['OTEL_SDK_DISABLED']?.trim().toLowerCase() === 'true') return false;
  if (env['OTEL_TRACES_EXPORTER']?.trim() === 'none') return false;
  return isSet('OTEL_EXPORTER_OTLP_ENDPOINT') || isSet('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT');
}

async function quietly(shutdown: () => Promise<void>, withinMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, withinMs)));
  await Promise.race([shutdown().catch(() => undefined), late]);
  clearTimeout(timer);
}
