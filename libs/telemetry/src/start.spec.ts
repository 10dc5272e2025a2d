import { describe, expect, it } from '@jest/globals';
import { areTracesOn } from './start.js';

const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };

describe('traces are exported', () => {
  it.each([
    ['with an endpoint', endpoint],
    ['with one for traces alone', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:4318/v1/traces' }],
    ['with an SDK that is said not to be disabled', { ...endpoint, OTEL_SDK_DISABLED: 'false' }],
  ])('%s', (_, env) => {
    expect(areTracesOn(env)).toBe(true);
  });

  it.each([
    ['without an endpoint', {}],
    ['with an empty one', { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }],
    ['with one for metrics', { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://127.0.0.1:4318' }],
    ['with the SDK disabled', { ...endpoint, OTEL_SDK_DISABLED: 'True' }],
    ['with no exporter', { ...endpoint, OTEL_TRACES_EXPORTER: 'none' }],
  ])('not %s', (_, env) => {
    expect(areTracesOn(env)).toBe(false);
  });
});
