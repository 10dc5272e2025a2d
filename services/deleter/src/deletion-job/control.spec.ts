import {
  CancelRequested,
  ConfirmRequested,
  type ControlRequest,
  PauseRequested,
  RateChangeRequested,
  ResumeRequested,
  RetryRequested,
} from '@expunge/contracts';
import { describe, expect, it } from '@jest/globals';
import { answerPending, controlVerdict, delayPending, pendingOf, tombstone } from './control.js';
import { type DeletionJob, type DeletionState, dueAt, withLane } from './deletion-job.js';
import { at, page, planFacts, record, runningJob } from './given.js';
import { planBatch } from './plan-batch.js';
import { type ControlType, refusals, transitions } from './transitions.js';

const definitions = {
  PauseRequested,
  ResumeRequested,
  CancelRequested,
  RetryRequested,
  ConfirmRequested,
  RateChangeRequested,
};
const types = Object.keys(definitions) as ControlType[];
const states = Object.keys(transitions) as DeletionState[];

function asked(type: ControlType, second = 5, id = `r-${type}-${second}`): ControlRequest {
  const fields = { id, source: 'urn:expunge:api', subject: 'job-1', time: at(second).toISOString(), tenantid: 'acme' };
  const data = { requestedBy: 'ann', reason: 'too early', maxRecordsPerSecond: 7 };
  return definitions[type].create({ ...fields, data });
}

const inState = (state: DeletionState, change: Partial<DeletionJob> = {}) =>
  runningJob({ state, sequence: 4, ...change });
const fenced = (job: DeletionJob, request: ControlRequest, during: DeletionState): DeletionJob => ({
  ...withLane(job, { turn: job.lanes[0].turn + 1 }),
  state: during,
  pending: pendingOf(request),
});

describe('the transition table', () => {
  const edges = states.flatMap((state) =>
    Object.entries(transitions[state]).map(([type, edge]) => [state, type as ControlType, edge] as const),
  );

  it.each(edges)('%s takes %s, and says why that is allowed', (state, type, edge) => {
    expect(controlVerdict(inState(state), asked(type))).toEqual({ do: 'fence', during: edge.during, displaces: null });
    const answered = answerPending(fenced(inState(state), asked(type), edge.during), at(9));
    expect(answered).toMatchObject({ state: edge.to, pending: null, answered: [expect.anything(), asked(type).id] });
    expect(edge.why).not.toBe('');
  });

  const others = states.flatMap((state) =>
    types.filter((type) => !(type in transitions[state])).map((type) => [state, type] as const),
  );

  it.each(others)('%s refuses %s, and tells in which state it is', (state, type) => {
    expect(controlVerdict(inState(state), asked(type))).toEqual({
      do: 'refuse',
      reason: 'not-allowed',
      message: refusals[state],
    });
  });

  it('has all there is in one of the two', () => {
    expect(edges.length + others.length).toBe(states.length * types.length);
    expect(edges.map(([state, type]) => `${state} ${type}`)).toEqual([
      'awaiting-confirmation ConfirmRequested',
      'awaiting-confirmation CancelRequested',
      'awaiting-confirmation RateChangeRequested',
      'running PauseRequested',
      'running CancelRequested',
      'running RateChangeRequested',
      'pausing CancelRequested',
      'paused ResumeRequested',
      'paused CancelRequested',
      'paused RateChangeRequested',
      'cancelled RetryRequested',
      'finished RetryRequested',
      'failed RetryRequested',
      'failed CancelRequested',
    ]);
  });
});

describe('a request', () => {
  const pausing = fenced(inState('running'), asked('PauseRequested'), 'pausing');

  it('is not known before it is answered: whoever fenced the job may be dead', () => {
    expect(controlVerdict(pausing, asked('PauseRequested'))).toEqual({ do: 'go-on' });
    const paused = answerPending(pausing, at(9));
    expect(controlVerdict(paused, asked('PauseRequested'))).toEqual({ do: 'tell-again' });
  });

  it('waits while another is pending, and a cancel displaces all but a cancel', () => {
    for (const type of types.filter((each) => each !== 'CancelRequested')) {
      expect(controlVerdict(pausing, asked(type, 6))).toEqual({ do: 'wait' });
    }
    const displaces = pausing.pending;
    expect(controlVerdict(pausing, asked('CancelRequested'))).toEqual({ do: 'fence', during: 'cancelling', displaces });
    const cancelling = fenced(inState('running'), asked('CancelRequested'), 'cancelling');
    expect(controlVerdict(cancelling, asked('CancelRequested', 6))).toEqual({ do: 'wait' });
    expect(controlVerdict(cancelling, asked('PauseRequested', 6))).toEqual({ do: 'wait' });
    const changing = fenced(inState('running'), asked('RateChangeRequested'), 'running');
    expect(controlVerdict(changing, asked('CancelRequested'))).toMatchObject({ do: 'fence', during: 'cancelling' });
  });

  it('comes too late when one made after it has taken effect, unless it is a cancel', () => {
    const resumed = inState('running', { appliedAt: { state: at(8).toISOString(), rate: null } });
    for (const type of types.filter((each) => each !== 'CancelRequested' && each !== 'RateChangeRequested')) {
      expect(controlVerdict(resumed, asked(type, 7))).toMatchObject({ do: 'refuse', reason: 'superseded' });
    }
    const slowed = inState('running', { appliedAt: { state: null, rate: at(8).toISOString() } });
    expect(controlVerdict(slowed, asked('RateChangeRequested', 7))).toMatchObject({ reason: 'superseded' });
    expect(controlVerdict(slowed, asked('PauseRequested', 7))).toMatchObject({ do: 'fence' });
    expect(controlVerdict(resumed, asked('RateChangeRequested', 7))).toMatchObject({ do: 'fence' });
    expect(controlVerdict(resumed, asked('PauseRequested', 8))).toMatchObject({ do: 'fence' });
    expect(controlVerdict(resumed, asked('CancelRequested', 1))).toMatchObject({ do: 'fence' });
  });

  it('cannot retry a job that never took its bound', () => {
    const verdict = controlVerdict(inState('failed', { sequence: 1 }), asked('RetryRequested'));
    expect(verdict).toMatchObject({ do: 'refuse', reason: 'not-allowed', message: expect.stringContaining('new job') });
  });

  it('is answered by one event that names it, who asked and why, with the counts until then', () => {
    const paused = answerPending(pausing, at(9));
    expect(paused.outbox).toMatchObject([
      {
        type: 'DeletionPaused',
        sequence: 5,
        data: { requestId: asked('PauseRequested').id, by: 'ann', reason: 'too early', totals: paused.totals },
      },
    ]);
    expect(paused.appliedAt).toEqual({ state: at(5).toISOString(), rate: null });
    const retried = answerPending(fenced(inState('failed'), asked('RetryRequested'), 'failed'), at(9));
    expect(retried.outbox).toMatchObject([{ type: 'DeletionResumed', data: { requestType: 'RetryRequested' } }]);
    expect(retried.lanes[0]).toMatchObject({ attempt: 0, strikes: 0, holder: null, waiting: null });
    const changed = answerPending(fenced(inState('paused'), asked('RateChangeRequested'), 'paused'), at(9));
    expect(changed).toMatchObject({ state: 'paused', maxRecordsPerSecond: 7, outbox: [{ type: 'RateChanged' }] });
  });

  it('is not answered while a batch may still be going', () => {
    const planned = planBatch(pausing, page(record('a')), planFacts);
    expect(() => answerPending(planned, at(9))).toThrow('resolve first');
    expect(() => answerPending(runningJob(), at(9))).toThrow('no request');
  });

  it('that changes the rate leaves a failing job its attempts and strikes', () => {
    const failing = withLane(inState('running'), { attempt: 3, strikes: 4 });
    const changed = answerPending(fenced(failing, asked('RateChangeRequested'), 'running'), at(9));
    expect(changed.lanes[0]).toMatchObject({ attempt: 3, strikes: 4 });
  });

  it('waits for a store before it, tells so, and after five other errors the job fails and it is refused', () => {
    const facts = { instance: 'd1', now: at(10), storeRetryForMs: 60_000 };
    const error = { code: 'Unauthorized', message: 'not allowed' };
    let job = pausing;
    for (let n = 1; n <= 7; n++) {
      job = delayPending({ ...job, outbox: [] }, { cause: 'store', error }, facts);
      expect(job.outbox).toMatchObject([{ type: 'BatchDelayed', data: { cause: 'store', attempt: n } }]);
    }
    expect(job.pending?.waiting).toMatchObject({ attempt: 7, strikes: 0, retryAt: at(40) });
    expect(dueAt({ ...job, writtenAt: at(10) })).toEqual(at(46));
    const tooLong = delayPending(job, { cause: 'store', error }, { ...facts, now: at(71) });
    expect(tooLong).toMatchObject({ state: 'failed', pending: null });
    job = pausing;
    for (let n = 1; n <= 4; n++) job = delayPending(job, { cause: 'error', error }, facts);
    expect(job).toMatchObject({ state: 'pausing', pending: { waiting: { strikes: 4 } } });
    job = delayPending({ ...job, outbox: [] }, { cause: 'error', error }, facts);
    expect(job).toMatchObject({
      state: 'failed',
      pending: null,
      outbox: [
        { type: 'DeletionFailed', data: { error } },
        { type: 'RequestRefused', data: { requestId: asked('PauseRequested').id, reason: 'not-allowed' } },
      ],
    });
    expect(controlVerdict(job, asked('PauseRequested'))).toEqual({ do: 'tell-again' });
  });

  it('is looked after by the watchdog in whatever state, and waits for no retry of the job', () => {
    const retrying = fenced(inState('failed'), asked('RetryRequested'), 'failed');
    expect(dueAt({ ...retrying, writtenAt: at(100) })).toEqual(at(106));
    const waiting = { cause: 'store', since: at(1), retryAt: at(900), error: { code: 'X', message: '' } } as const;
    expect(dueAt({ ...withLane(pausing, { waiting }), writtenAt: at(100) })).toEqual(at(106));
  });
});

it('a cancel before its job leaves the job, cancelled', () => {
  const job = tombstone(asked('CancelRequested'), at(9));
  expect(job).toMatchObject({
    id: 'job-1',
    tenant: 'acme',
    state: 'cancelled',
    request: null,
    bodyHash: null,
    pending: null,
    outbox: [{ type: 'DeletionCancelled', sequence: 1, data: { totals: { succeeded: 0 } } }],
  });
});
