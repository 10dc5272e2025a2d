import { describe, expect, it } from '@jest/globals';
import { type InBucket, jobCompletedId, type Positions, positions } from '@expunge/contracts';
import fc from 'fast-check';
import { compact } from '../ledger/compact.js';
import { Story } from '../testing/story.js';
import { batchOf, resolvedBatches } from './batch-blocks.js';
import { evolve, evolveAll } from './evolve.js';
import type { JobProjection } from './job.js';
import type { Recorded } from './recorded.js';
import {
  hasGap,
  isCompletionDue,
  isVerificationDue,
  jobCompleted,
  lastRequestOf,
  verificationRequested,
} from './status.js';
import { residueOf } from './verification.js';

const recorded = (story: Story): Recorded[] =>
  story.events.map((message, i) => ({ position: i + 1, message: compact(message) }));

const fold = (events: Recorded[]): JobProjection => {
  const job = events.reduce<JobProjection | null>(evolve, null);
  if (!job) throw new Error('no event');
  return job;
};

const given = (story: Story): JobProjection => fold(recorded(story));

const failure = { id: 'r7', code: 'KEY_OUTSIDE_PREFIX' as const, message: 'x' };

describe('evolve', () => {
  it('queues a job that was requested', () => {
    const job = given(new Story().requested());
    expect(job).toMatchObject({ status: 'queued', tenant: 'tenant-1', listedAt: '2026-11-01T10:00:01.000Z' });
    expect(job.request).toMatchObject({ resource: 'receipts', requestedBy: 'ann', selection: { all: true } });
  });

  it('shows the request of a job of which only DeletionStarted arrived', () => {
    const job = given(new Story().started(100));
    expect(job).toMatchObject({ status: 'running', listedAt: '2026-11-01T10:00:01.000Z', sequence: 1 });
    expect(job.request?.requestedBy).toBe('ann');
  });

  it('keeps the number and the first of many ids', () => {
    const ids = Array.from({ length: 10_000 }, (_, i) => `id-${i}`);
    const job = given(new Story().requested({ ids }));
    expect(job.request?.selection).toEqual({ idCount: 10_000, firstIds: ids.slice(0, 20) });
  });

  it('counts records by the totals of the greatest sequence and keeps an unfinished batch open', () => {
    const job = given(
      new Story()
        .requested()
        .started()
        .batch(10, 20)
        .batch(5, 0, { failures: [failure] }),
    );
    expect(job.totals).toMatchObject({ batches: 2, succeeded: 15, failed: 1, objects: 20 });
    expect(resolvedBatches(job.batches)).toEqual([[2, 2]]);
    expect(batchOf(job.batches, 1)).toMatchObject({ keys: 20, purged: [], failed: [] });
    expect(job.failures).toEqual([{ sequence: 3, place: 0, ...failure }]);
  });

  it('knows a batch whose message names a bucket as any other', () => {
    const story = (where: InBucket) =>
      new Story()
        .requested()
        .started()
        .batch(10, 3, where)
        .purged(1, [[0, 1]])
        .purgeFailed(1, [[2, 2]])
        .retried('retry')
        .askedAgain(1, [[2, 2]], 1, [], where)
        .purged(1, [[2, 2]])
        .finished();
    const named = story({ bucket: 'acme-invoices' });
    const versions = named.events.map(({ dataschema }) => dataschema).filter((schema) => schema.endsWith(':2'));
    expect(versions).toEqual(['urn:expunge:BatchDeleted:2', 'urn:expunge:PurgeRequested:2']);
    expect(given(named)).toEqual(given(story({})));
    expect(given(named).objects).toMatchObject({ purged: 3, failed: 0 });
  });

  it('counts objects purged before anyone heard of their batch', () => {
    const story = new Story()
      .requested()
      .started()
      .batch(10, 3)
      .purged(1, [[0, 2]]);
    const [deleteRequested, , batchDeleted, purged] = recorded(story);
    const early = fold([purged!]);
    expect(early).toMatchObject({ status: 'queued', objects: { purged: 3, failed: 0 } });
    const { batches } = fold([purged!, deleteRequested!, batchDeleted!]);
    expect(batches).toEqual({ resolved: [], blocks: { 0: { resolved: '1', open: {} } } });
  });

  it('lets purged beat failed, in both orders', () => {
    const before = given(
      new Story()
        .started()
        .batch(1, 4)
        .purgeFailed(1, [[0, 3]])
        .purged(1, [[2, 3]]),
    );
    expect(before.objects).toEqual({ purged: 2, failed: 2, kept: 0 });
    const after = given(
      new Story()
        .started()
        .batch(1, 4)
        .purged(1, [[2, 3]])
        .purgeFailed(1, [[0, 3]]),
    );
    expect(batchOf(after.batches, 1)).toMatchObject({ purged: [[2, 3]], failed: [[0, 1]] });
  });

  it('shows a gap in the sequence and what came after it', () => {
    const events = recorded(new Story().requested().started().batch(10, 0).batch(10, 0));
    const job = fold(events.filter((event) => event.message.sequence !== 2));
    expect(job).toMatchObject({
      sequence: 1,
      heard: [
        [1, 1],
        [3, 3],
      ],
      totals: { succeeded: 20 },
    });
    expect(hasGap(job)).toBe(true);
  });

  it('ends a delay with the next batch, also when the delay is heard later', () => {
    const story = new Story().started().delayed().batch(10, 0);
    const [started, delayed, batch] = recorded(story);
    const waiting = fold([started!, delayed!]);
    expect(waiting.delay!.sequence > waiting.progressedAt).toBe(true);
    const late = fold([started!, batch!, delayed!]);
    expect(late.delay!.sequence > late.progressedAt).toBe(false);
  });

  it.each([
    ['pausing', () => new Story().started().pauseRequested('p1')],
    ['paused', () => new Story().started().pauseRequested('p1').paused('p1')],
    ['running', () => new Story().started().pauseRequested('p1').paused('p1').resumeRequested('r1').resumed('r1')],
    ['cancelling', () => new Story().started().pauseRequested('p1').paused('p1').cancelRequested('c1')],
    ['cancelled', () => new Story().started().cancelRequested('c1').cancelled('c1')],
    ['running', () => new Story().started().pauseRequested('p1').refused('p1', 'PauseRequested', 'superseded')],
    ['failed', () => new Story().requested().refused('q', 'DeleteRequested', 'expired')],
    ['queued', () => new Story().requested().refused('q', 'DeleteRequested', 'conflict')],
    ['running', () => new Story().requested().started().refused('q', 'DeleteRequested', 'expired')],
    ['failed', () => new Story().started().failed()],
    ['purging', () => new Story().started().batch(1, 1).finished()],
  ] as const)('is %s', (status, story) => {
    expect(given(story()).status).toBe(status);
  });

  it('tells what became of the last request', () => {
    const story = new Story().started().pauseRequested('p1').refused('p1', 'PauseRequested', 'superseded');
    expect(lastRequestOf(given(story))).toMatchObject({ id: 'p1', outcome: 'refused', type: 'PauseRequested' });
    story.cancelRequested('c1');
    expect(lastRequestOf(given(story))).toMatchObject({ id: 'c1', outcome: 'pending', type: 'CancelRequested' });
  });

  it('goes on counting the objects of a cancelled job, and is settled only when they are gone', () => {
    const story = new Story().started().batch(5, 2).cancelRequested('c1').cancelled('c1');
    expect(given(story)).toMatchObject({ status: 'cancelled', settled: false });
    expect(given(story.purged(1, [[0, 1]]))).toMatchObject({
      status: 'cancelled',
      settled: true,
      objects: { purged: 2 },
    });
  });

  const accountedFor = () =>
    new Story()
      .started()
      .batch(5, 2)
      .batch(5, 0)
      .finished()
      .purged(1, [[0, 1]]);

  it('is to be verified when each key of each batch is accounted for, and not before', () => {
    const story = new Story().started().batch(5, 2).batch(5, 0).finished();
    const early = given(story.purged(1, [[0, 0]]));
    expect([early.status, isVerificationDue(early), isCompletionDue(early)]).toEqual(['purging', false, false]);
    const done = given(story.purged(1, [[1, 1]]));
    expect([done.status, isVerificationDue(done), isCompletionDue(done)]).toEqual(['verifying', true, false]);
    const now = '2026-11-01T11:00:00.000Z';
    expect(verificationRequested(done, now).data).toEqual({ finished: 4 });
    const looked = given(story.recordsVerified(0, 3).objectsChecked(2));
    expect(verificationRequested(looked, now).data).toEqual({
      finished: 4,
      chunks: [
        [1, 1],
        [3, 3],
      ],
    });
  });

  it('is due for completion once somebody has looked in both stores', () => {
    const story = accountedFor().recordsVerified();
    expect(isCompletionDue(given(story))).toBe(false);
    const done = given(story.objectsChecked());
    expect([isVerificationDue(done), isCompletionDue(done)]).toEqual([false, true]);
    expect(jobCompleted(done, '2026-11-01T11:00:00.000Z')).toMatchObject({
      id: jobCompletedId('job-1', 4),
      tenantid: 'tenant-1',
      data: {
        outcome: 'completed',
        objects: { purged: 2, failed: 0 },
        totals: { succeeded: 10 },
        finished: 4,
        residue: { records: { left: 0 }, objects: { checked: 10, present: 0 } },
      },
    });
  });

  it('is due at once for a job that nobody is to verify', () => {
    const job = accountedFor();
    const unverified = job.events.map((event) =>
      event.type === 'DeletionStarted'
        ? {
            ...event,
            data: {
              ...event.data,
              request: { ...event.data.request, options: { batchSize: 5, verify: 'none' as const } },
            },
          }
        : event,
    );
    const done = fold(unverified.map((message, i) => ({ position: i + 1, message: compact(message) })));
    expect([done.status, isVerificationDue(done), isCompletionDue(done)]).toEqual(['purging', false, true]);
    expect(jobCompleted(done, done.updatedAt).data.residue).toBeUndefined();
  });

  it('is not due while a batch was not heard of, even if the rest is purged', () => {
    const events = recorded(new Story().started().batch(5, 0).batch(5, 0).finished());
    const job = fold(events.filter((event) => event.message.sequence !== 2));
    expect([isVerificationDue(job), isCompletionDue(job)]).toEqual([false, false]);
  });

  const outcomeOf = (story: Story) => jobCompleted(given(story), '2026-11-01T11:00:00.000Z').data.outcome;

  it.each([
    [
      'a record failed',
      new Story()
        .started()
        .batch(5, 0, { failures: [failure] })
        .finished(),
    ],
    [
      'an object could not be purged',
      new Story()
        .started()
        .batch(5, 2)
        .finished()
        .purgeFailed(1, [[1, 1]]),
    ],
    ['a record is left', accountedFor().recordsVerified(1).objectsChecked()],
    [
      'an object is still there',
      accountedFor()
        .recordsVerified()
        .objectsChecked(1, [[1, [[1, 1]]]]),
    ],
  ])('completes with residue when %s', (_, story) => {
    expect(outcomeOf(story)).toBe('completed_with_residue');
  });

  it('does not count an object as left that is told as failed or kept anyway', () => {
    const story = new Story()
      .started()
      .batch(5, 2)
      .finished()
      .purgeFailed(1, [[0, 1]])
      .retried('r')
      .askedAgain(1, [[1, 1]], 1, [[0, 0]])
      .finished()
      .purgeFailed(1, [[1, 1]], 1)
      .recordsVerified()
      .objectsChecked(1, [[1, [[0, 1]]]]);
    const job = given(story);
    expect(job.objects).toEqual({ purged: 0, failed: 1, kept: 1 });
    expect(residueOf(job)?.objects.present).toBe(0);
  });
});

describe('a retry', () => {
  const failed = () =>
    new Story()
      .started()
      .batch(5, 3)
      .finished()
      .purgeFailed(1, [[0, 2]]);
  const completed = (story: Story) => {
    const verified = story.recordsVerified().objectsChecked();
    return verified.completed(jobCompleted(given(verified), '2026-11-01T11:00:00.000Z'));
  };

  it('takes a completed job back to running, and to another completion', () => {
    const story = completed(failed());
    expect(given(story)).toMatchObject({ status: 'completed_with_residue', settled: true });
    story.retryRequested('r').retried('r');
    expect(given(story)).toMatchObject({ status: 'running', settled: false });
    story.askedAgain(1, [[0, 2]], 1).finished();
    expect(given(story)).toMatchObject({ status: 'purging', objects: { failed: 0, purged: 0 } });
    story.purged(1, [[0, 2]]);
    expect(given(story)).toMatchObject({ status: 'verifying', objects: { purged: 3 } });
    expect(given(completed(story))).toMatchObject({ status: 'completed', settled: true });
  });

  it('counts what fails again as failed again, and what failed before as pending until then', () => {
    const story = failed()
      .retried('r')
      .askedAgain(1, [[0, 2]], 1)
      .finished();
    expect(isVerificationDue(given(story))).toBe(false);
    expect(given(story.purgeFailed(1, [[0, 1]], 1))).toMatchObject({ objects: { failed: 2 } });
    expect(isVerificationDue(given(story))).toBe(false);
    expect(isVerificationDue(given(story.purged(1, [[2, 2]])))).toBe(true);
  });

  it('leaves a cancelled job cancelled, and unsettled until its purges are answered', () => {
    const story = new Story()
      .started()
      .batch(5, 2)
      .cancelled('c')
      .purgeFailed(1, [[0, 1]]);
    expect(given(story)).toMatchObject({ status: 'cancelled', settled: true });
    story
      .retryRequested('r')
      .purgesRetried('r')
      .askedAgain(1, [[0, 1]], 1);
    expect(given(story)).toMatchObject({ status: 'cancelled', settled: false, objects: { failed: 0 } });
    expect(lastRequestOf(given(story))).toMatchObject({ id: 'r', outcome: 'applied' });
    expect(given(story.purged(1, [[0, 1]]))).toMatchObject({ status: 'cancelled', settled: true });
  });

  it('forgets what was found at an earlier end', () => {
    const story = accounted()
      .recordsVerified(2)
      .objectsChecked(1, [[1, [[0, 0]]]]);
    expect(residueOf(given(story))).toMatchObject({ records: { left: 2 }, objects: { present: 1 } });
    const before = 4;
    story.retried('r').finished();
    expect(residueOf(given(story))).toBeNull();
    story
      .recordsVerified()
      .objectsChecked()
      .objectsChecked(1, [[1, [[0, 1]]]], before);
    expect(residueOf(given(story))).toMatchObject({ records: { left: 0 }, objects: { present: 0 } });
  });

  const accounted = () =>
    new Story()
      .started()
      .batch(5, 2)
      .batch(5, 0)
      .finished()
      .purged(1, [[0, 1]]);
});

/** A job's whole life: batches whose keys are purged, delayed or refused in pieces, interrupted by people and stores. */
const history = fc
  .array(
    fc.record({
      count: fc.nat(9),
      keys: fc.nat(6),
      failures: fc.nat(2),
      interrupted: fc.constantFrom('not', 'delayed', 'paused', 'slowed', 'refused', 'failed'),
      pieces: fc.array(
        fc.record({
          from: fc.nat(5),
          to: fc.nat(5),
          every: fc.constantFrom(1, 2),
          what: fc.constantFrom('purged', 'failed', 'delayed'),
        }),
        { maxLength: 5 },
      ),
    }),
    { maxLength: 12 },
  )
  .chain((batches) =>
    fc.record({
      batches: fc.constant(batches),
      end: fc.constantFrom('finished', 'failed', 'none', 'retried', 'retried twice'),
      again: fc.array(
        fc.record({
          batch: fc.nat(11),
          from: fc.nat(5),
          to: fc.nat(5),
          what: fc.constantFrom('asked', 'kept', 'purged', 'failed', 'delayed', 'found'),
        }),
        { maxLength: 12 },
      ),
    }),
  )
  .map(({ batches, end, again }) => {
    const story = new Story().requested().started(100);
    batches.forEach(({ count, keys, failures, interrupted, pieces }, i) => {
      if (interrupted === 'delayed') story.delayed();
      if (interrupted === 'paused') {
        story.pauseRequested(`p${i}`).paused(`p${i}`).resumeRequested(`r${i}`).resumed(`r${i}`);
      }
      if (interrupted === 'slowed') story.rateChanged(`s${i}`, i === 0 ? null : i);
      if (interrupted === 'refused') story.pauseRequested(`q${i}`).refused(`q${i}`, 'PauseRequested', 'superseded');
      if (interrupted === 'failed') story.failed().retryRequested(`t${i}`).retried(`t${i}`);
      const failed = Array.from({ length: failures }, (_, n) => ({ ...failure, id: `r${i}-${n}` }));
      story.batch(count, keys, { failures: failed, retained: failures ? [`shared-${i}`] : [] });
      const batch = story.totals.batches;
      for (const { from, to, every, what } of pieces) {
        if (from > to || to >= keys) continue;
        const which = positions.positionsOf(
          [...positions.each([[from, to]])].filter((position) => (position - from) % every === 0),
        );
        if (what === 'purged') story.purged(batch, which);
        else if (what === 'failed') story.purgeFailed(batch, which);
        else story.purgeDelayed(batch, which, 4);
      }
    });
    if (end === 'finished') story.finished();
    for (const round of end === 'retried' ? [1] : end === 'retried twice' ? [1, 2] : []) {
      story.finished().recordsVerified(round, 2).retryRequested(`again-${round}`).retried(`again-${round}`);
      for (const { batch, from, to, what } of again) {
        const keys = batches[batch]?.keys ?? 0;
        if (from > to || to >= keys) continue;
        const which: Positions = [[from, to]];
        if (what === 'asked') story.askedAgain(batch + 1, which, round);
        if (what === 'kept') story.askedAgain(batch + 1, [], round, which);
        if (what === 'purged') story.purged(batch + 1, which);
        if (what === 'failed') story.purgeFailed(batch + 1, which, round);
        if (what === 'delayed') story.purgeDelayed(batch + 1, which, 4, round);
        if (what === 'found') story.objectsChecked((batch % 2) + 1, [[batch + 1, which]]);
      }
      story.finished().recordsVerified(0, 1).objectsChecked();
    }
    if (end === 'failed') story.failed();
    return recorded(story);
  });

/** The same events in any order, some of them several times. */
const disordered = history.chain((events) =>
  fc
    .tuple(
      fc.shuffledSubarray(events, { minLength: events.length }),
      fc.array(fc.record({ event: fc.nat(events.length - 1), at: fc.nat(events.length) }), { maxLength: 10 }),
    )
    .map(([shuffled, repetitions]) => {
      const order = [...shuffled];
      for (const { event, at } of repetitions) order.splice(at, 0, events[event]!);
      return { events, order };
    }),
);

describe('any order and repetition of the events of a job', () => {
  it('folds to the same document', () => {
    fc.assert(
      fc.property(disordered, ({ events, order }) => {
        expect(fold(order)).toEqual(fold(events));
        expect(JSON.stringify(sortedKeys(fold(order)))).toBe(JSON.stringify(sortedKeys(fold(events))));
      }),
      { numRuns: 300 },
    );
  });

  it('folds to the same bytes whether events are folded one by one, with writes in between, or at once', () => {
    fc.assert(
      fc.property(disordered, fc.integer({ min: 1, max: 7 }), ({ order }, everyOther) => {
        const oneByOne = order.reduce<JobProjection | null>((job, event, i) => {
          const next = evolve(job, event);
          return i % everyOther === 0 ? (JSON.parse(JSON.stringify(next)) as JobProjection) : next;
        }, null);
        expect(JSON.stringify(evolveAll(null, order))).toBe(JSON.stringify(oneByOne));
        const half = Math.floor(order.length / 2);
        const inTwo = evolveAll(evolveAll(null, order.slice(0, half)), order.slice(half));
        expect(JSON.stringify(inTwo)).toBe(JSON.stringify(oneByOne));
      }),
      { numRuns: 300 },
    );
  });

  it('folds to the same bytes in the order in which it is told and in any other', () => {
    fc.assert(
      fc.property(disordered, ({ events, order }) => {
        expect(JSON.stringify(evolveAll(null, order))).toBe(JSON.stringify(evolveAll(null, events)));
      }),
      { numRuns: 300 },
    );
  });

  it('never makes a count go backwards on the way', () => {
    fc.assert(
      fc.property(disordered, ({ order }) => {
        let job: JobProjection | null = null;
        for (const event of order) {
          const next: JobProjection = evolve(job, event);
          if (job) {
            for (const count of ['succeeded', 'failed', 'objects', 'retained', 'batches'] as const) {
              expect(next.totals?.[count] ?? 0).toBeGreaterThanOrEqual(job.totals?.[count] ?? 0);
            }
            expect(next.objects.purged).toBeGreaterThanOrEqual(job.objects.purged);
            expect(next.sequence).toBeGreaterThanOrEqual(job.sequence);
          }
          job = next;
        }
      }),
      { numRuns: 200 },
    );
  });

  it('changes nothing when an event is folded again', () => {
    fc.assert(
      fc.property(disordered, ({ events, order }) => {
        const job = fold(order);
        for (const event of events) expect(evolve(job, event)).toEqual(job);
      }),
      { numRuns: 100 },
    );
  });
});

const sortedKeys = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(sortedKeys)
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(
          Object.entries(value)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([k, v]) => [k, sortedKeys(v)]),
        )
      : value;
