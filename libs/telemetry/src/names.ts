/**
 * Every name that leaves this system in spans and metrics. Those of messaging follow OpenTelemetry's conventions for
 * RabbitMQ, which are still in development: when they change, this file does.
 */
export const attribute = {
  /** What all spans of one deletion have in common: a long one has many traces. */
  job: 'job.id',
  batch: 'expunge.batch',
  records: 'expunge.records',
  objects: 'expunge.objects',
  position: 'expunge.ledger.position',
  settlement: 'expunge.settlement',
  outcome: 'expunge.outcome',
  status: 'expunge.job.status',
  code: 'expunge.code',
  resource: 'expunge.resource',
  attempt: 'expunge.attempt',
  retryDelay: 'expunge.retry.delay',
  errorType: 'error.type',
  messaging: {
    system: 'messaging.system',
    operationName: 'messaging.operation.name',
    operationType: 'messaging.operation.type',
    destination: 'messaging.destination.name',
    routingKey: 'messaging.rabbitmq.destination.routing_key',
    messageId: 'messaging.message.id',
    /** Of the event in the body (CloudEvents). */
    type: 'cloudevents.event_type',
  },
} as const;

export const spanName = {
  plan: 'plan',
  delete: 'delete',
  purge: 'purge',
  check: 'check',
  append: 'append',
  fold: 'fold',
} as const;

export const metric = {
  sendDuration: 'messaging.client.operation.duration',
  processDuration: 'messaging.process.duration',
  requests: 'expunge.requests',
  deliveries: 'expunge.deliveries',
  records: 'expunge.records',
  batchDuration: 'expunge.batch.duration',
  firstBatch: 'expunge.first_batch.delay',
  delays: 'expunge.delays',
  objects: 'expunge.objects',
  jobs: 'expunge.jobs',
  transitions: 'expunge.job.transitions',
  verdicts: 'expunge.verdicts',
  foldDelay: 'expunge.fold.delay',
  foldLag: 'expunge.fold.lag',
  foldHeartbeatAge: 'expunge.fold.heartbeat.age',
  parked: 'expunge.parked',
} as const;
