import { describe, expect, test } from '@jest/globals';
import { messageDefinitions } from './messages.js';
import {
  allWorkQueues,
  DELIVERY_LIMIT,
  parkedQueue,
  queueDeclarations,
  retryQueue,
  retryTiers,
  tierOf,
  topicMatches,
  transientQueue,
  transientQueues,
  workQueues,
} from './topology.js';

const bound: readonly { name: string; bindings: readonly string[] }[] = [
  ...allWorkQueues,
  ...Object.entries(transientQueues).map(([name, { bindings }]) => ({ name, bindings })),
];
const queuesOf = (routingKey: string): string[] =>
  bound.filter(({ bindings }) => bindings.some((b) => topicMatches(b, routingKey))).map(({ name }) => name);

const request = ['deleter.jobs', 'monitor.events'];
const work = ['storage-cleaner.batches', 'monitor.events'];
const told = ['monitor.events'];

/** The design's table of messages and that of queues, put together: who gets what. */
const deliveredTo: Record<string, [routingKey: string | null, queues: string[]]> = {
  DeleteRequested: ['delete.requested', request],
  PauseRequested: ['delete.pause-requested', request],
  ResumeRequested: ['delete.resume-requested', request],
  CancelRequested: ['delete.cancel-requested', request],
  RetryRequested: ['delete.retry-requested', request],
  RateChangeRequested: ['delete.rate-change-requested', request],
  ConfirmRequested: ['delete.confirm-requested', request],
  DeletionStarted: ['deletion.started', told],
  DeletionPaused: ['deletion.paused', told],
  DeletionResumed: ['deletion.resumed', told],
  DeletionCancelled: ['deletion.cancelled', told],
  PurgesRetried: ['deletion.purges-retried', told],
  DeletionFinished: ['deletion.finished', told],
  DeletionFailed: ['deletion.failed', told],
  RateChanged: ['deletion.rate-changed', told],
  ConfirmationAwaited: ['deletion.confirmation-awaited', told],
  DryRunFinished: ['deletion.dry-run-finished', told],
  RequestRefused: ['deletion.request-refused', told],
  BatchDeleted: ['batch.deleted', work],
  BatchDelayed: ['batch.delayed', told],
  PurgeRequested: ['purge.requested', work],
  ObjectsPurged: ['objects.purged', told],
  ObjectPurgeDelayed: ['objects.purge-delayed', told],
  ObjectPurgeFailed: ['objects.purge-failed', request],
  VerificationRequested: ['delete.verification-requested', request],
  RecordsVerified: ['deletion.records-verified', told],
  ObjectCheckRequested: ['check.requested', ['storage-cleaner.batches']],
  ObjectsChecked: ['objects.checked', told],
  JobCompleted: ['job.completed', told],
  JobExpired: ['job.expired', request],
  JobRemoved: ['job.removed', told],
  JobDiagnosisChanged: ['job.diagnosis-changed', told],
  ConsumerAttached: ['topology.consumer-attached', told],
  ConsumerDetached: ['topology.consumer-detached', told],
  BindingChanged: ['topology.binding-changed', told],
  EventsWanted: ['events.wanted', ['deleter.jobs']],
  WorkerHeartbeat: ['worker.heartbeat', ['monitorHeartbeats']],
  ProjectionChanged: ['projection.changed', ['apiProgress']],
  ResourceCheckRequested: ['resource.check-requested', ['deleterChecks', 'storageCleanerChecks']],
  ResourceChecked: ['resource.checked', ['apiChecks', 'deleterChecks']],
  FoldProbe: [null, []],
  SliceDue: [null, []],
};

describe('the bindings', () => {
  test('of the table are those of the messages', () => {
    const keys = messageDefinitions.map(({ type, routingKey }) => [type, routingKey]);
    expect(Object.fromEntries(keys)).toEqual(
      Object.fromEntries(Object.entries(deliveredTo).map(([type, [routingKey]]) => [type, routingKey])),
    );
  });

  const routed = Object.entries(deliveredTo).flatMap(([type, [key, queues]]) =>
    key === null ? [] : [[type, key, queues] as const],
  );
  test.each(routed)('take %s (%s) to %j and nowhere else', (_, routingKey, queues) => {
    expect(queuesOf(routingKey)).toEqual(queues);
  });

  test('each take a message somewhere', () => {
    const keys = routed.map(([, key]) => key);
    const idle = bound.flatMap(({ bindings }) => bindings).filter((b) => !keys.some((key) => topicMatches(b, key)));
    expect(idle).toEqual([]);
  });

  test('leave the slices to direct publishing', () => {
    expect(workQueues.deleterSlices.bindings).toEqual([]);
  });
});

describe('the declarations of a work queue', () => {
  const all = allWorkQueues.map((queue) => [queue.name, queue] as const);

  test.each(all)('%s: each dead-letter target is declared before its source', (_, queue) => {
    const declared = new Set<unknown>();
    for (const declaration of queueDeclarations(queue)) {
      const target = declaration.arguments['x-dead-letter-routing-key'];
      if (target !== undefined) expect(declared).toContain(target);
      declared.add(declaration.name);
    }
    expect([...declared]).toEqual([
      parkedQueue(queue.name),
      queue.name,
      ...retryTiers.map((tier) => retryQueue(queue.name, tier)),
    ]);
  });

  test.each(all)('%s: all are quorum queues, and what is dead-lettered gets there at least once', (_, queue) => {
    for (const { name, arguments: args } of queueDeclarations(queue)) {
      expect(args).toMatchObject({ 'x-queue-type': 'quorum' });
      if (name === parkedQueue(queue.name)) continue;
      expect(args).toMatchObject({
        'x-dead-letter-exchange': '',
        'x-dead-letter-strategy': 'at-least-once',
        'x-overflow': 'reject-publish',
      });
    }
  });

  test.each(all)('%s: parks what keeps killing its consumer, and a tier gives back after its seconds', (_, queue) => {
    const [parked, own, ...tiers] = queueDeclarations(queue);
    expect(parked?.arguments).toEqual({ 'x-queue-type': 'quorum' });
    expect(own?.arguments).toMatchObject({
      'x-dead-letter-routing-key': `${queue.name}.parked`,
      'x-delivery-limit': DELIVERY_LIMIT,
    });
    expect(own?.arguments).not.toHaveProperty('x-message-ttl');
    expect(
      tiers.map(({ name, arguments: args }) => [name, args['x-message-ttl'], args['x-dead-letter-routing-key']]),
    ).toEqual([
      [`${queue.name}.retry.2s`, 2000, queue.name],
      [`${queue.name}.retry.4s`, 4000, queue.name],
      [`${queue.name}.retry.8s`, 8000, queue.name],
      [`${queue.name}.retry.16s`, 16000, queue.name],
      [`${queue.name}.retry.30s`, 30000, queue.name],
    ]);
  });

  test('only the events of the monitor have a single active consumer', () => {
    const single = allWorkQueues.filter((queue) =>
      queueDeclarations(queue).some(({ arguments: args }) => args['x-single-active-consumer'] === true),
    );
    expect(single.map(({ name }) => name)).toEqual(['monitor.events']);
  });

  test('name a queue once', () => {
    const names = allWorkQueues.flatMap(queueDeclarations).map(({ name }) => name);
    expect(names).toHaveLength(new Set(names).size);
  });
});

describe('a transient queue', () => {
  test.each([
    ['monitorHeartbeats', 'monitor.heartbeats.monitor-1'],
    ['apiProgress', 'api.progress.monitor-1'],
    ['storageCleanerChecks', 'storage-cleaner.checks.monitor-1'],
  ] as const)('of %s is named after its service and instance: %s', (kind, name) => {
    expect(transientQueue(kind, 'monitor-1')).toBe(name);
  });

  test('is never named as a durable one', () => {
    const durable = allWorkQueues.flatMap(queueDeclarations).map(({ name }) => name);
    const kinds = Object.keys(transientQueues) as (keyof typeof transientQueues)[];
    expect(durable.filter((name) => kinds.some((kind) => name.startsWith(transientQueue(kind, ''))))).toEqual([]);
  });
});

describe('the delay', () => {
  test.each([
    [0, 2],
    [1, 2],
    [2, 4],
    [3, 8],
    [4, 16],
    [5, 30],
    [6, 30],
    [1000, 30],
    [Infinity, 30],
  ])('after attempt %d is %d s', (attempt, seconds) => {
    expect(tierOf(attempt)).toBe(seconds);
  });
});
