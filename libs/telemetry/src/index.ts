export { type Attributes, SpanKind, type Span } from '@opentelemetry/api';
export * from './instruments.js';
export * from './names.js';
export * from './spans.js';
export * from './start.js';
