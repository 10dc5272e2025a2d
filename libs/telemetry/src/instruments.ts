import { type Attributes, metrics, type ObservableResult } from '@opentelemetry/api';

const meter = () => metrics.getMeter('expunge');

/** To be made once telemetry was started: before, nothing is counted. */
export const counter = (name: string, description: string, unit = '1') =>
  meter().createCounter(name, { description, unit });

/** A histogram of seconds. */
export const durations = (name: string, description: string, boundaries: readonly number[] = usual) =>
  meter().createHistogram(name, { description, unit: 's', advice: { explicitBucketBoundaries: [...boundaries] } });

/** Of a moment that `performance.now()` told. */
export const secondsSince = (began: number): number => (performance.now() - began) / 1000;

const usual = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

type Observed = readonly (readonly [value: number, attributes?: Attributes])[];

/** Asked for when metrics are. What cannot be told at that moment is left out. */
export function gauge(name: string, description: string, unit: string, read: () => Observed | Promise<Observed>): void {
  meter()
    .createObservableGauge(name, { description, unit })
    .addCallback(async (result: ObservableResult) => {
      for (const [value, attributes] of await Promise.resolve(read()).catch(() => []))
        result.observe(value, attributes);
    });
}
