import { type DiagnosisCode, diagnosisCodes } from '@expunge/contracts';
import { describe, expect, it, test } from '@jest/globals';
import { allWorkers, circumstances, consumerOf, healthyBroker, NOW, standing, worker } from '../testing/situation.js';
import { Story } from '../testing/story.js';
import type { Circumstances, JobInQuestion, KnownWorker } from './circumstances.js';
import { diagnose } from './diagnose.js';

const queued = () => new Story('job-1', NOW.getTime() - 30_000).requested();
const running = () => queued().started(100).batch(10, 0);
const purging = () => queued().started(10).batch(10, 4).finished();
const ago = (seconds: number) => new Date(NOW.getTime() - seconds * 1000).toISOString();

const noQueue = (missing: string) => {
  const broker = healthyBroker();
  return { ...broker, queues: (broker.queues ?? []).filter(({ name }) => name !== missing) };
};

/** Ended by an error six seconds ago, and has run again for so many. */
const startedAgain = (seconds: number, more: Partial<KnownWorker['beat']> = {}, age = 1): Partial<Circumstances> => ({
  broker: noConsumers('deleter.slices'),
  workers: [...without('deleter'), worker('deleter', age, { startedAt: ago(seconds), consumes: [], ...more })],
  ends: [
    worker('deleter', 6, {
      startedAt: ago(60),
      state: 'exiting',
      exit: { code: 1, reason: 'fatal' },
      lastError: { code: 'RangeError', message: 'a bug', at: ago(6) },
    }),
  ],
});

const without = (service: string) => allWorkers().filter(({ beat }) => beat.service !== service);
const noConsumers = (queue: string) => {
  const broker = healthyBroker();
  return { ...broker, consumers: (broker.consumers ?? []).filter((consumer) => consumer.queue !== queue) };
};

const withDepth = (name: string, depth: { ready?: number; unacknowledged?: number }) => {
  const broker = healthyBroker();
  const queues = (broker.queues ?? []).map((queue) => (queue.name === name ? { ...queue, ...depth } : queue));
  return { ...broker, queues };
};

/** Three deliveries at every look of the last 10 s, and a deleter, heard of 2 s ago, of which they are not known. */
const held = (told: Partial<KnownWorker['beat']>, looks = [10, 8, 6, 4, 2.5, 0.5], age = 2): Partial<Circumstances> => {
  const since = { acknowledged: 7, since: ago(10), redeliveredBefore: 0, redelivered: 2 };
  return {
    broker: withDepth('deleter.jobs', { unacknowledged: 3 }),
    paces: new Map([['deleter.jobs', { ...since, seenAt: ago(0.5), heldAt: looks.map(ago) }]]),
    workers: [...without('deleter'), worker('deleter', age, told)],
  };
};
const handsFull = (job: string) => [
  ...without('storage-cleaner'),
  worker('storage-cleaner', 2, {
    inHand: { 'storage-cleaner.batches': 4 },
    doing: { what: 'purging 4 objects of batch 1', job, since: ago(9) },
  }),
];

type Case = [name: string, question: JobInQuestion, changes: Partial<Circumstances>, DiagnosisCode];

const cases: Case[] = [
  [
    'no monitor folds',
    standing(running()),
    { asOf: { position: 1, at: ago(60), lagMs: null, monitorHeartbeatAgeMs: 12_000 } },
    'MONITOR:STALE',
  ],
  [
    'the fold is far behind',
    standing(running()),
    { asOf: { position: 1, at: ago(60), lagMs: 30_000, monitorHeartbeatAgeMs: 300 } },
    'MONITOR:STALE',
  ],
  [
    'an event cannot be folded',
    standing(running()),
    { unfoldable: new Map([['job-1', { event: 'job-1:4', message: 'TypeError: no list', since: ago(10) }]]) },
    'MONITOR:PROJECTION_FAILED',
  ],
  ['an event is missing', standing(withGap()), {}, 'MONITOR:LEDGER_GAP'],
  ['it is paused', standing(running().pauseRequested('p').paused('p')), {}, 'USER:PAUSED'],
  ['it runs at its limit', standing(running().rateChanged('r', 0.1), 12), {}, 'THROTTLE:RATE'],
  ['an attempt failed', standing(running().delayed(3600, 'SOME_ERROR', 'error')), {}, 'THROTTLE:BACKOFF'],
  [
    'the exchange is gone',
    standing(queued()),
    { broker: { ...healthyBroker(), exchanges: [], bindings: [] } },
    'ROUTING:NO_EXCHANGE',
  ],
  [
    'its binding has another key',
    standing(queued()),
    {
      broker: {
        ...healthyBroker(),
        bindings: (healthyBroker().bindings ?? []).map((binding) =>
          binding.key === 'delete.*' ? { ...binding, key: 'delet.*' } : binding,
        ),
      },
    },
    'ROUTING:NO_BINDING',
  ],
  ['the queue is gone', standing(purging()), { broker: noQueue('storage-cleaner.batches') }, 'ROUTING:QUEUE_MISSING'],
  [
    'the queue into which its deleter looks is gone',
    standing(running()),
    { broker: noQueue('storage-cleaner.batches') },
    'ROUTING:QUEUE_MISSING',
  ],
  [
    'a retry queue is gone',
    standing(purging()),
    { broker: noQueue('storage-cleaner.batches.retry.8s') },
    'ROUTING:QUEUE_MISSING',
  ],
  [
    'the broker is short of memory',
    standing(running()),
    { broker: { ...healthyBroker(), alarms: ['memory alarm on rabbit@h'] } },
    'BROKER:RESOURCE_ALARM',
  ],
  [
    'the broker is away',
    standing(running()),
    { broker: { ...healthyBroker(), connected: false, error: 'connect ECONNREFUSED', queues: null, consumers: null } },
    'BROKER:UNREACHABLE',
  ],
  [
    'the user lost its rights',
    standing(running()),
    { broker: { ...healthyBroker(), error: '403 (ACCESS-REFUSED) with message "ACCESS_REFUSED - configure access"' } },
    'BROKER:NO_PERMISSION',
  ],
  [
    'a message comes again and again',
    standing(queued()),
    {
      paces: new Map([
        [
          'deleter.jobs',
          { acknowledged: 7, since: ago(2), redeliveredBefore: 1, redelivered: 4, seenAt: ago(0), heldAt: [] },
        ],
      ]),
    },
    'DELIVERY:LOOP',
  ],
  ['messages lie in hands that do nothing with them', standing(queued()), held({}), 'WORKER:NO_PROGRESS'],
  [
    'a message of it was parked',
    standing(queued()),
    {
      parked: new Map([
        ['job-1', [{ queue: 'deleter.jobs', type: 'DeleteRequested', reason: 'no such field', at: ago(9) }]],
      ]),
    },
    'DELIVERY:PARKED',
  ],
  [
    'its service ends as it starts',
    standing(queued()),
    {
      broker: noConsumers('deleter.jobs'),
      workers: [
        ...without('deleter'),
        worker('deleter', 4, {
          state: 'exiting',
          exit: { code: 78, reason: 'fatal' },
          lastError: { code: 'SETTINGS_INVALID', message: 'PORT must be an integer', at: ago(4) },
        }),
      ],
    },
    'WORKER:START_FAILED',
  ],
  [
    'its service ends soon after each start, and runs at this moment',
    standing(running()),
    startedAgain(3),
    'WORKER:START_FAILED',
  ],
  ...(['resumeRequested', 'cancelRequested'] as const).map((asked): Case => [
    `it is paused, and nobody hears the ${asked}`,
    standing(running().pauseRequested('p').paused('p')[asked]('r')),
    { broker: noConsumers('deleter.jobs'), workers: without('deleter') },
    'CONSUMER:NONE',
  ]),
  [
    'nobody hears that it is confirmed',
    standing(queued().started(100).confirmationAwaited(100, 10).confirmRequested('c')),
    { broker: noConsumers('deleter.jobs'), workers: without('deleter') },
    'CONSUMER:NONE',
  ],
  [
    'its service ended once, and has lived without consuming for long since',
    standing(running()),
    startedAgain(20),
    'CONSUMER:CANCELLED',
  ],
  [
    'its service ended by an error, was started again, and was stopped',
    standing(running()),
    startedAgain(12, { state: 'exiting', exit: { code: 0, reason: 'stopped' } }),
    'CONSUMER:NONE',
  ],
  [
    'its service ended by an error, was started again, lived for long, and fell silent',
    standing(running()),
    startedAgain(40, {}, 12),
    'WORKER:NO_HEARTBEAT',
  ],
  [
    'its worker fell silent',
    standing(running()),
    { broker: noConsumers('deleter.slices'), workers: [...without('deleter'), worker('deleter', 11)] },
    'WORKER:NO_HEARTBEAT',
  ],
  [
    'its worker is frozen, and its connection still stands',
    standing(running()),
    { workers: [...without('deleter'), worker('deleter', 11)] },
    'WORKER:NO_HEARTBEAT',
  ],
  [
    'the consumer was cancelled',
    standing(queued()),
    {
      broker: noConsumers('deleter.jobs'),
      workers: [...without('deleter'), worker('deleter', 2, { consumes: ['deleter.slices'] })],
    },
    'CONSUMER:CANCELLED',
  ],
  [
    'nobody ever consumed',
    standing(queued()),
    { broker: noConsumers('deleter.jobs'), workers: without('deleter') },
    'CONSUMER:NONE',
  ],
  [
    'the storage-cleaner was stopped',
    standing(purging()),
    {
      broker: noConsumers('storage-cleaner.batches'),
      workers: [
        ...without('storage-cleaner'),
        worker('storage-cleaner', 5, { state: 'exiting', exit: { code: 0, reason: 'stopped' } }),
      ],
    },
    'CONSUMER:NONE',
  ],
  [
    'a stranger takes the messages',
    standing(queued()),
    {
      broker: {
        ...healthyBroker(),
        consumers: [
          ...(healthyBroker().consumers ?? []),
          { queue: 'deleter.jobs', tag: 'amq.ctag-1', prefetch: 0, connection: null },
        ],
      },
    },
    'CONSUMER:UNEXPECTED',
  ],
  [
    "the records' database is away",
    standing(running().delayed(3600)),
    {
      workers: [
        ...without('deleter'),
        worker('deleter', 2, { problems: { records: { code: 'RECORDS_UNAVAILABLE', message: 'no server' } } }),
      ],
    },
    'STORE:MONGO_UNAVAILABLE',
  ],
  ['the last attempt met a database that is away', standing(running().delayed(30)), {}, 'STORE:MONGO_UNAVAILABLE'],
  ...(
    [
      ['UNREACHABLE', undefined, 'STORE:OBJECTS_UNAVAILABLE'],
      ['TIMEOUT', undefined, 'STORE:OBJECTS_UNAVAILABLE'],
      ['AccessDenied', 403, 'STORE:OBJECTS_DENIED'],
      ['SlowDown', 503, 'STORE:OBJECTS_THROTTLED'],
    ] as const
  ).map(([code, status, verdict]): Case => [
    `the bucket answers ${code}`,
    standing(purging()),
    {
      workers: [
        ...without('storage-cleaner'),
        worker('storage-cleaner', 2, {
          problems: { bucket: { code, message: 'as it says', ...(status ? { status } : {}) } },
        }),
      ],
    },
    verdict,
  ]),
  [
    'all consumers have their hands full of other jobs',
    standing(purging()),
    { broker: withDepth('storage-cleaner.batches', { ready: 3, unacknowledged: 4 }), workers: handsFull('another') },
    'CONSUMER:SATURATED',
  ],
  [
    'all consumers have their hands full, and the broker has not counted what waits',
    standing(purging()),
    { workers: handsFull('another') },
    'CONSUMER:SATURATED',
  ],
  [
    'its own batches are all that anybody has in hand',
    standing(purging()),
    { workers: handsFull('job-1') },
    'WORKER:NO_PROGRESS',
  ],
  [
    'a worker hangs over it',
    standing(running()),
    {
      workers: [
        ...without('deleter'),
        worker('deleter', 2, { doing: { what: 'slice', job: 'job-1', since: ago(15) } }),
      ],
    },
    'WORKER:NO_PROGRESS',
  ],
  [
    'nothing that can be looked at is wrong',
    standing(running()),
    { notChecked: [{ what: 'consumers', why: 'the management API is off' }] },
    'UNKNOWN:INSUFFICIENT_EVIDENCE',
  ],
];

function withGap(): Story {
  const story = running().batch(10, 0).batch(10, 0);
  story.events.splice(story.events.length - 2, 1);
  return story;
}

const of = (question: JobInQuestion, changes: Partial<Circumstances>) => diagnose(question, circumstances(changes));

describe('a job that stands', () => {
  test.each(cases)('because %s has a verdict that says so', (_, question, changes, code) => {
    const diagnosis = of(question, changes);
    expect(diagnosis.code).toBe(code);
    expect(diagnosis.summary).toMatch(/\.$|[a-z)]$/);
    expect(diagnosis.evidence.length).toBeGreaterThan(0);
    expect(diagnosis.nextActions.length).toBeGreaterThan(0);
  });

  it('has a verdict for each code there is', () => {
    // No event leads to a job that waits for its confirmation yet; a backlog has its own case below.
    const elsewhere = ['USER:AWAITING_CONFIRMATION', 'THROTTLE:PURGE_BACKLOG'];
    const told = new Set([...cases.map(([, , , code]) => code as string), ...elsewhere]);
    expect(diagnosisCodes.filter((code) => !told.has(code))).toEqual([]);
  });
});

describe('that nobody consumes', () => {
  const evidenceOf = (workers: Circumstances['workers']) =>
    of(standing(purging()), { broker: noConsumers('storage-cleaner.batches'), workers }).evidence.map(
      ({ source, check, observed }) => [source, check, observed],
    );
  const byBroker = ['broker', 'consumers of storage-cleaner.batches', '0 of ours'];

  it('rests on the last words of who was stopped, too', () => {
    const stopped = worker('storage-cleaner', 5, { state: 'exiting', exit: { code: 0, reason: 'stopped' } });
    const name = `storage-cleaner@${stopped.beat.instance}`;
    expect(evidenceOf([...without('storage-cleaner'), stopped])).toEqual([
      byBroker,
      ['heartbeat', `last words of ${name}`, 'stopped, 5 s ago'],
    ]);
  });

  it('rests on there being no heartbeat, too', () => {
    expect(evidenceOf(without('storage-cleaner'))).toEqual([
      byBroker,
      ['heartbeat', 'heartbeats of storage-cleaner', 'none'],
    ]);
  });
});

describe('a job that moves', () => {
  it('has no verdict, whatever else is broken', () => {
    const changes = { broker: noConsumers('deleter.slices'), workers: without('deleter') };
    expect(of(standing(running(), 2), changes).code).toBeNull();
  });

  it('is told when its objects stand while its records go', () => {
    const question = standing(queued().started(100).batch(10, 4));
    const moving = { ...question, movedAt: { ...question.movedAt, records: NOW } };
    const diagnosis = of(moving, {
      broker: noConsumers('storage-cleaner.batches'),
      workers: without('storage-cleaner'),
    });
    expect(diagnosis.code).toBe('CONSUMER:NONE');
  });
});

describe('what a consumer was at when it was last heard', () => {
  it('hangs only if it had lasted for some time by then', () => {
    const at = (ageSeconds: number, begunSecondsAgo: number) => {
      const [consumer, ...others] = handsFull('another').toReversed();
      const beat = { ...consumer!.beat, doing: { what: 'purging', job: 'another', since: ago(begunSecondsAgo) } };
      return of(standing(purging()), { workers: [...others, { ...consumer!, beat, ageMs: ageSeconds * 1000 }] }).code;
    };
    expect(at(4, 7)).toBe('UNKNOWN:INSUFFICIENT_EVIDENCE');
    expect(at(4, 8)).toBe('CONSUMER:SATURATED');
  });
});

describe('what the broker counted as held', () => {
  const waiting = () => standing(queued());

  it.each([
    ['since they were counted', held({ untouchedMs: { 'deleter.jobs': 6_000 } })],
    ['and it is new', held({ startedAt: ago(8) })],
    ['or so, but its last word is older than the count', held({}, [1.5, 0.5])],
    ['or so, and it does not tell since when', held({ untouchedMs: undefined })],
    ['or so, and it is at something', held({ doing: { what: 'jobs', job: 'other', since: ago(3) } })],
  ])('may have been done with while a worker has nothing in hand %s', (_, changes) => {
    expect(of(waiting(), changes).code).toBe('UNKNOWN:INSUFFICIENT_EVIDENCE');
  });

  it('may have been done with by one that has ended since', () => {
    const changes = held({});
    const ended = { ...worker('deleter', 5, { instance: 'deleter-2', state: 'exiting' }) };
    const silent = worker('deleter', 12, { instance: 'deleter-3' });
    for (const gone of [ended, silent]) {
      const workers = [...(changes.workers ?? []), gone];
      expect(of(waiting(), { ...changes, workers }).code).not.toBe('WORKER:NO_PROGRESS');
    }
  });

  it('is in hands that have not touched anything for as long', () => {
    const told = { untouchedMs: { 'deleter.jobs': 7_000, 'deleter.slices': 10 } };
    expect(of(waiting(), held(told, [9, 7, 5, 3, 1], 1)).code).toBe('WORKER:NO_PROGRESS');
  });
});

describe('a wait that has an end', () => {
  it('is the verdict while what it waits for works', () => {
    expect(of(standing(running().delayed(3600, 'SOME_ERROR', 'error')), {}).code).toBe('THROTTLE:BACKOFF');
  });

  it('is a backlog for as long as nothing of the job was heard since', () => {
    const story = queued().started(100).batch(10, 4).delayed(0, 'BACKLOG', 'purge-backlog');
    const question = standing(story, 60);
    const moving = { ...question, movedAt: { ...question.movedAt, objects: NOW } };
    expect(of(moving, {}).code).toBe('THROTTLE:PURGE_BACKLOG');
  });

  it('is a backlog, and no word of the bucket, while objects wait behind those of others', () => {
    const story = queued().started(100).batch(10, 4).delayed(30, 'BACKLOG', 'purge-backlog');
    const told = story.events.at(-1)?.time ?? '';
    const heardBefore = new Date(Date.parse(told) - 1_000);
    const { job } = standing(story);
    const diagnosis = of({ job, movedAt: { records: heardBefore, objects: heardBefore } }, {});
    expect([diagnosis.code, ...diagnosis.contributing.map(({ code }) => code)]).toEqual(['THROTTLE:PURGE_BACKLOG']);
  });

  it('is a backlog of the storage-cleaner only while somebody works it off', () => {
    const story = queued().started(100).batch(10, 4).delayed(30, 'BACKLOG', 'purge-backlog');
    expect(of(standing(story), {}).code).toBe('THROTTLE:PURGE_BACKLOG');
    const changes = { broker: noConsumers('storage-cleaner.batches'), workers: without('storage-cleaner') };
    const diagnosis = of(standing(story), changes);
    expect(diagnosis.code).toBe('CONSUMER:NONE');
    expect(diagnosis.contributing.map(({ code }) => code)).toEqual(['THROTTLE:PURGE_BACKLOG']);
  });

  it('contributes when what it waits for is broken', () => {
    const diagnosis = of(standing(running().delayed(3600, 'SOME_ERROR', 'error')), {
      broker: noConsumers('deleter.slices'),
      workers: without('deleter'),
    });
    expect(diagnosis.code).toBe('CONSUMER:NONE');
    expect(diagnosis.contributing.map(({ code }) => code)).toEqual(['THROTTLE:BACKOFF']);
  });
});

describe('a job that waits for a word on the bucket', () => {
  const unchecked = () => standing(queued().started(100).delayed(3600, 'BUCKET_UNCHECKED', 'preflight'));

  it('stands because nobody is there to say it', () => {
    const changes = { broker: noConsumers('storage-cleaner.batches'), workers: without('storage-cleaner') };
    const diagnosis = of(unchecked(), changes);
    expect(diagnosis.code).toBe('CONSUMER:NONE');
    expect(diagnosis.contributing.map(({ code }) => code)).toEqual(['THROTTLE:BACKOFF']);
  });

  it('stands because whoever is there cannot use it', () => {
    const problems = { bucket: { code: 'AccessDenied', message: 'not you', status: 403 } };
    const workers = [...without('storage-cleaner'), worker('storage-cleaner', 2, { problems })];
    expect(of(unchecked(), { workers }).code).toBe('STORE:OBJECTS_DENIED');
  });

  it('waits for its next attempt while all of them are well', () => {
    expect(of(unchecked(), {}).code).toBe('THROTTLE:BACKOFF');
  });
});

describe('a job whose objects are in a bucket of their own', () => {
  const told = (problem: { code: string; status?: number }) => {
    const problems = { bucket: { message: 'as it says', ...problem } };
    const workers = [...without('storage-cleaner'), worker('storage-cleaner', 2, { problems })];
    return of(standing(purging()), { workers, resourcesWithBucket: new Set(['receipts']) }).code;
  };

  it('is not told of the other bucket, which refuses', () => {
    expect(told({ code: 'AccessDenied', status: 403 })).not.toMatch(/^STORE:/);
  });

  it('is told that the server of both is away', () => {
    expect(told({ code: 'UNREACHABLE' })).toBe('STORE:OBJECTS_UNAVAILABLE');
  });
});

describe('a redelivery', () => {
  const redelivered = (times: number) => {
    const pace = {
      acknowledged: 7,
      since: ago(9),
      redeliveredBefore: 0,
      redelivered: times,
      seenAt: ago(0),
      heldAt: [],
    };
    return of(standing(queued()), {
      broker: withDepth('deleter.jobs', { ready: 90, unacknowledged: 8 }),
      paces: new Map([['deleter.jobs', pace]]),
      workers: [worker('deleter', 2, { doing: { what: 'a slice', job: 'other', since: ago(1) } })],
    }).code;
  };

  it('of everything in the hands of a consumer, as when its connection was lost, is no loop', () => {
    expect(redelivered(2 * 8)).not.toBe('DELIVERY:LOOP');
  });

  it('of each of them, again and again, is', () => {
    expect(redelivered(3 * 8)).toBe('DELIVERY:LOOP');
  });
});

describe('a broker that cannot be reached', () => {
  it('explains why no monitor folds', () => {
    const asOf = { position: 1, at: ago(60), lagMs: null, monitorHeartbeatAgeMs: 12_000 };
    const error = 'it does not answer within 2000 ms';
    const diagnosis = of(standing(running()), { asOf, broker: { ...healthyBroker(), connected: false, error } });
    expect(diagnosis.code).toBe('BROKER:UNREACHABLE');
    expect(diagnosis.contributing.map(({ code }) => code)).toContain('MONITOR:STALE');
  });
});

describe('a job at its limit', () => {
  it('is told first what keeps its objects', () => {
    const question = standing(running().rateChanged('r', 10), 1);
    const objects = new Date(NOW.getTime() - 20_000);
    const waiting = { ...standing(running().batch(10, 4).rateChanged('r', 10), 1) };
    const changes = { broker: noConsumers('storage-cleaner.batches'), workers: without('storage-cleaner') };
    expect(of(question, changes).code).toBe('THROTTLE:RATE');
    const diagnosis = of({ ...waiting, movedAt: { ...waiting.movedAt, objects } }, changes);
    expect(diagnosis.code).toBe('CONSUMER:NONE');
    expect(diagnosis.contributing.map(({ code }) => code)).toEqual(['THROTTLE:RATE']);
  });
});

describe('while all jobs together are at their limit', () => {
  const limited = (heldUpMs?: number, age = 2): Partial<Circumstances> => {
    const sharedLimit = { maxRecordsPerSecond: 10, ...(heldUpMs !== undefined && { heldUpMs }) };
    const idle = worker('deleter', 1, { instance: 'deleter-2', sharedLimit: { maxRecordsPerSecond: 10 } });
    return { workers: [...without('deleter'), idle, worker('deleter', age, { sharedLimit })] };
  };

  it('a job is told so, whether it moves or its turn comes once a minute', () => {
    for (const quietSeconds of [0, 4, 60]) {
      const { code, summary, contributing } = of(standing(running(), quietSeconds), limited(300));
      expect(code).toBe('THROTTLE:RATE');
      expect(summary).toContain('MAX_RECORDS_PER_SECOND: 10 records a second');
      expect(contributing).toEqual([]);
    }
  });

  it('is not said once no deleter that lives made a job wait lately', () => {
    for (const changes of [limited(), limited(9_000), limited(300, 9)]) {
      expect(of(standing(running(), 4), changes).code).toBeNull();
    }
    expect(of(standing(running()), limited()).code).toBe('UNKNOWN:INSUFFICIENT_EVIDENCE');
  });

  it('what is broken comes first', () => {
    const diagnosis = of(standing(running()), { ...limited(300), broker: noConsumers('deleter.slices') });
    expect(diagnosis.code).toBe('CONSUMER:NONE');
    expect(diagnosis.contributing.map(({ code }) => code)).toEqual(['THROTTLE:RATE']);
  });

  it('a job with a smaller rate of its own is told that first, for as long as it keeps it', () => {
    const slow = running().rateChanged('r', 5);
    const summaries = (quietSeconds: number, story: Story) => {
      const { summary, contributing } = of(standing(story, quietSeconds), limited(300));
      return [summary, ...contributing.map((other) => other.summary)].map((said) => said?.split(/[,.]/)[0]);
    };
    const ofAll = 'All jobs together are at their limit';
    expect(summaries(1, slow)).toEqual(['Runs at its limit of 5 records a second', ofAll]);
    expect(summaries(20, slow)).toEqual([ofAll]);
    expect(summaries(1, running().rateChanged('r', 10))).toEqual([ofAll]);
  });
});

describe('objects that are refused', () => {
  const refused = (secondsAgo: number) => {
    const story = new Story('job-1', NOW.getTime() - (secondsAgo + 3) * 1000).requested().started(100).batch(10, 4);
    return standing(story.purgeFailed(1, [[0, 3]]), 1);
  };

  it('are told while the job goes on', () => {
    expect(of(refused(2), {})).toMatchObject({ code: 'STORE:OBJECTS_DENIED', severity: 'warning' });
  });

  it('are not told for as long as it goes on', () => {
    expect(of(refused(60), {}).code).toBeNull();
  });
});

describe('a job that is over', () => {
  it('has none when it completed or was cancelled with everything gone', () => {
    expect(of(standing(running().cancelRequested('c').cancelled('c')), { workers: [] }).code).toBeNull();
  });

  it('says what refused its objects', () => {
    const story = purging()
      .purgeFailed(1, [[0, 3]])
      .recordsVerified()
      .objectsChecked();
    const completed = { outcome: 'completed_with_residue' as const, at: NOW.toISOString(), id: 'c', finished: null };
    const question = standing(story);
    const over = { ...question, job: { ...question.job, completed, status: completed.outcome } };
    expect(of(over, {})).toMatchObject({ code: 'STORE:OBJECTS_DENIED', severity: 'blocking' });
  });
});

it('says what was not checked', () => {
  const notChecked = [{ what: 'bindings', why: 'the management API answers 401' }];
  expect(of(standing(queued()), { notChecked }).notChecked).toEqual(notChecked);
});

it('looks for a stranger by the tag and the name of its connection', () => {
  const forged = { ...consumerOf('deleter', 'deleter.jobs', 'x'), connection: null };
  const alias = {
    ...consumerOf('deleter', 'deleter.jobs', 'y'),
    connection: { name: 'somebody', host: null, version: null, connectedAt: null },
  };
  const broker = { ...healthyBroker(), consumers: [...(healthyBroker().consumers ?? []), forged, alias] };
  const diagnosis = of(standing(queued()), { broker });
  expect(diagnosis.code).toBe('CONSUMER:UNEXPECTED');
  expect(diagnosis.evidence.map(({ observed }) => observed)).toEqual(['deleter@y:deleter.jobs']);
});
